import { Box } from "@mantine/core";
import { useEffect, useRef } from "react";

import type { DrawnLane } from "../engine/drawTimeline";
import { AXIS, LANE } from "../engine/drawTimeline";
import type { ReviewSession } from "../engine/ReviewSession";
import { TimelineView } from "../engine/TimelineView";
import { useReview } from "../hooks/useReview";
import { texts } from "../texts";
import classes from "./Timeline.module.css";

const MOST_SEEN = 8;
const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };

interface Props {
  session: ReviewSession;
  lanes: readonly DrawnLane[];
  scale: { bins: number; totalFrames: number };
  /** How many frames were analysed, from the first one on. */
  analysed: number;
  chosen: string | null;
  onChoose: (key: string) => void;
}

/** Where each class and track is found, on one canvas; a click shows that frame. */
export function Timeline({ session, lanes, scale, analysed, chosen, onChoose }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const view = useRef<TimelineView>(null);
  const frame = useReview(session, (state) => state.frame);
  const { bins, totalFrames } = scale;
  const last = Math.max(0, totalFrames - 1);

  useEffect(() => {
    if (canvas.current === null || scroller.current === null) return undefined;
    const tail = { from: analysed, text: texts.timeline.notAnalysed };
    const drawn = new TimelineView(canvas.current, scroller.current, { bins, totalFrames }, tail);
    view.current = drawn;
    return () => drawn.close();
  }, [bins, totalFrames, analysed]);
  useEffect(() => view.current?.show({ lanes, chosen, frame }), [lanes, chosen, frame, bins, totalFrames, analysed]);

  const onClick = (event: React.MouseEvent): void => {
    const hit = view.current?.at(event.nativeEvent.offsetX, event.nativeEvent.offsetY);
    if (hit?.lane !== undefined) onChoose(hit.lane.key);
    if (hit?.frame !== undefined) session.goToFrame(hit.frame);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const { player } = session;
    const by = KEYS[event.key] ?? (event.key === "PageUp" ? -leap(last) : event.key === "PageDown" ? leap(last) : null);
    const end = event.key === "Home" ? 0 : event.key === "End" ? session.table.count - 1 : null;
    if (event.shiftKey || (by === null && end === null)) return;
    event.preventDefault();
    if (by !== null) player?.step(by);
    else if (end !== null) player?.goTo(end);
  };
  const height = AXIS + Math.max(1, Math.min(MOST_SEEN, lanes.length)) * LANE;
  return (
    <Box
      ref={scroller}
      className={classes["timeline"] ?? ""}
      __vars={{ "--timeline-height": `${height}px`, "--timeline-content": `${AXIS + lanes.length * LANE}px` }}
    >
      <div className={classes["inner"]}>
        <canvas
          ref={canvas}
          className={classes["canvas"]}
          role="slider"
          tabIndex={0}
          aria-label={texts.timeline.label}
          aria-description={texts.timeline.hint}
          aria-valuemin={0}
          aria-valuemax={last}
          aria-valuenow={frame ?? 0}
          aria-valuetext={`Frame ${frame ?? 0} of ${last}`}
          onClick={onClick}
          onKeyDown={onKeyDown}
        />
      </div>
    </Box>
  );
}

function leap(last: number): number {
  return Math.max(10, Math.round(last / 20));
}
