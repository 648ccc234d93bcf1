import { memo } from "react";

import { countText } from "@/lib/format";

import type { Lane } from "../api/timeline";
import type { DrawnLane } from "../engine/drawTimeline";
import classes from "./ObjectTable.module.css";

interface Props {
  lane: Lane;
  drawn: DrawnLane;
  isChosen: boolean;
  onChoose: (key: string, firstFrame: number) => void;
  onGoTo: (frame: number) => void;
}

/** One class or track. Plain elements, drawn again only when it changes: hundreds pass by while the table is scrolled. */
export const ObjectRow = memo(function ObjectRow({ lane, drawn, isChosen, onChoose, onGoTo }: Props) {
  return (
    <tr className={classes["row"]} data-chosen={isChosen || undefined} aria-selected={isChosen}>
      <td>
        <button type="button" className={classes["name"]} onClick={() => onChoose(drawn.key, lane.first_frame)}>
          <svg width={12} height={12} aria-hidden>
            <rect width={12} height={12} rx={3} fill={drawn.colour} />
          </svg>
          {drawn.name}
        </button>
      </td>
      <td className={classes["tool"]}>{lane.tool}</td>
      <FrameCell frame={lane.first_frame} onGoTo={onGoTo} />
      <FrameCell frame={lane.last_frame} onGoTo={onGoTo} />
      <td className={classes["figure"]}>{countText(lane.frames)}</td>
    </tr>
  );
});

function FrameCell({ frame, onGoTo }: { frame: number; onGoTo: (frame: number) => void }) {
  return (
    <td className={classes["figure"]}>
      <button
        type="button"
        className={classes["frame"]}
        onClick={() => onGoTo(frame)}
        aria-label={`Show frame ${frame}`}
      >
        {countText(frame)}
      </button>
    </td>
  );
}
