import { Box, Table } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

import type { Lane } from "../api/timeline";
import { drawnLane } from "../engine/drawTimeline";
import { texts } from "../texts";
import { ObjectRow } from "./ObjectRow";
import classes from "./ObjectTable.module.css";

const ROW_HEIGHT = 34;

interface Props {
  lanes: readonly Lane[];
  chosen: string | null;
  onChoose: (key: string, firstFrame: number) => void;
  onGoTo: (frame: number) => void;
}

/** Each class and track with its first and last frame; only the rows in sight are on the page. */
export function ObjectTable({ lanes, chosen, onChoose, onGoTo }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoizes this page
  const rows = useVirtualizer({
    count: lanes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    initialRect: { width: 600, height: 300 },
  });
  const items = rows.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = rows.getTotalSize() - (items.at(-1)?.end ?? 0);
  const chosenAt = lanes.findIndex((lane) => drawnLane(lane).key === chosen);
  useEffect(() => {
    if (chosenAt !== -1) rows.scrollToIndex(chosenAt);
  }, [rows, chosenAt]);

  return (
    <div ref={scroller} className={classes["scroller"]} tabIndex={0} role="region" aria-label={texts.objects.title}>
      <Table className={classes["table"] ?? ""} aria-rowcount={lanes.length + 1} verticalSpacing={4} highlightOnHover>
        <Table.Thead className={classes["head"] ?? ""}>
          <Table.Tr>
            <Table.Th>{texts.objects.name}</Table.Th>
            <Table.Th visibleFrom="sm">{texts.objects.tool}</Table.Th>
            <Table.Th ta="right">{texts.objects.first}</Table.Th>
            <Table.Th ta="right">{texts.objects.last}</Table.Th>
            <Table.Th ta="right">{texts.objects.frames}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Gap height={above} />
          {items.map(({ index }) => {
            const lane = lanes[index];
            if (lane === undefined) return null;
            const { key } = drawnLane(lane);
            return (
              <ObjectRow
                key={key}
                lane={lane}
                isChosen={key === chosen}
                onChoose={() => onChoose(key, lane.first_frame)}
                onGoTo={onGoTo}
              />
            );
          })}
          <Gap height={below} />
        </Table.Tbody>
      </Table>
    </div>
  );
}

/** The place of rows that are not in sight. */
function Gap({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <Box component="td" colSpan={5} p={0} className={classes["gap"] ?? ""} __vars={{ "--gap": `${height}px` }} />
    </tr>
  );
}
