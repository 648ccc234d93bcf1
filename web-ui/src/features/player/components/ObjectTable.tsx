import { Box } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

import type { Lane } from "../api/timeline";
import type { DrawnLane } from "../engine/drawTimeline";
import { texts } from "../texts";
import { ObjectRow } from "./ObjectRow";
import classes from "./ObjectTable.module.css";

const ROW_HEIGHT = 35;

interface Props {
  lanes: readonly Lane[];
  /** The same lanes as they are drawn, in the same order. */
  drawn: readonly DrawnLane[];
  chosen: string | null;
  onChoose: (key: string, firstFrame: number) => void;
  onGoTo: (frame: number) => void;
}

/** Each class and track with its first and last frame; only the rows in sight are on the page. */
export function ObjectTable({ lanes, drawn, chosen, onChoose, onGoTo }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoizes this page
  const rows = useVirtualizer({
    count: lanes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 6,
  });
  const items = rows.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = rows.getTotalSize() - (items.at(-1)?.end ?? 0);
  const chosenAt = chosen === null ? -1 : drawn.findIndex((lane) => lane.key === chosen);
  useEffect(() => {
    if (chosenAt !== -1) rows.scrollToIndex(chosenAt);
  }, [rows, chosenAt]);

  return (
    <div ref={scroller} className={classes["scroller"]} tabIndex={0} role="region" aria-label={texts.objects.title}>
      <table className={classes["table"]} aria-rowcount={lanes.length + 1}>
        <thead>
          <tr>
            <th scope="col">{texts.objects.name}</th>
            <th scope="col" className={classes["tool"]}>
              {texts.objects.tool}
            </th>
            <th scope="col" className={classes["figure"]}>
              {texts.objects.first}
            </th>
            <th scope="col" className={classes["figure"]}>
              {texts.objects.last}
            </th>
            <th scope="col" className={classes["figure"]}>
              {texts.objects.frames}
            </th>
          </tr>
        </thead>
        <tbody>
          <Gap height={above} />
          {items.map(({ index }) => {
            const lane = lanes[index];
            const asDrawn = drawn[index];
            if (lane === undefined || asDrawn === undefined) return null;
            return (
              <ObjectRow
                key={asDrawn.key}
                lane={lane}
                drawn={asDrawn}
                isChosen={asDrawn.key === chosen}
                onChoose={onChoose}
                onGoTo={onGoTo}
              />
            );
          })}
          <Gap height={below} />
        </tbody>
      </table>
    </div>
  );
}

/** The place of rows that are not in sight. */
function Gap({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <Box component="tr" aria-hidden className={classes["gap"] ?? ""} __vars={{ "--gap": `${height}px` }}>
      <td colSpan={5} />
    </Box>
  );
}
