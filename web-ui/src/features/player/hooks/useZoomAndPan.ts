import { useEffect } from "react";

import type { ReviewSession } from "../engine/ReviewSession";

/** Enlarges by the wheel and moves by dragging. At the whole picture, turning the wheel down scrolls the page. */
export function useZoomAndPan(session: ReviewSession, canvas: React.RefObject<HTMLCanvasElement | null>): void {
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const ended = new AbortController();
    const { signal } = ended;
    const onWheel = (event: WheelEvent): void => {
      if (event.deltaY > 0 && session.getState().view.zoom === 1) return;
      event.preventDefault();
      session.zoom(Math.exp(-event.deltaY / 400), { x: event.offsetX, y: event.offsetY });
    };
    const onMove = (event: PointerEvent): void => {
      if (event.buttons === 1 && session.getState().view.zoom > 1) session.pan(event.movementX, event.movementY);
    };
    const onDown = (event: PointerEvent): void => element.setPointerCapture(event.pointerId);
    element.addEventListener("wheel", onWheel, { signal, passive: false });
    element.addEventListener("pointermove", onMove, { signal });
    element.addEventListener("pointerdown", onDown, { signal });
    return () => ended.abort();
  }, [session, canvas]);
}
