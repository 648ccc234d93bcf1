import { Box } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";

import type { ReviewSession } from "../engine/ReviewSession";
import { useReview } from "../hooks/useReview";
import { useZoomAndPan } from "../hooks/useZoomAndPan";
import classes from "./ZoomableStage.module.css";

interface Props {
  session: ReviewSession;
  label: string;
  /** Has the session draw on the canvas, until what it gives is called; another function starts over. */
  attach: (canvas: HTMLCanvasElement) => () => void;
  children?: ReactNode;
}

/** The canvas on which a session draws, as wide as there is room for, to look at closely. */
export function ZoomableStage({ session, label, attach, children }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const isZoomed = useReview(session, (state) => state.view.zoom > 1);

  useEffect(() => {
    if (canvas.current === null || stage.current === null) return undefined;
    const element = stage.current;
    const detach = attach(canvas.current);
    const measure = (): void => session.resize(element.clientWidth, element.clientHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      observer.disconnect();
      detach();
    };
  }, [session, attach]);
  useZoomAndPan(session, canvas);

  const { display } = session.size;
  return (
    <Box
      ref={stage}
      className={classes["stage"] ?? ""}
      __vars={{ "--stage-ratio": String(display.width / display.height) }}
    >
      <canvas
        ref={canvas}
        className={classes["canvas"]}
        role="img"
        tabIndex={0}
        aria-label={label}
        data-zoomed={isZoomed || undefined}
      />
      {children}
    </Box>
  );
}
