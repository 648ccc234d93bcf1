import { ColorSwatch, Group, Table, UnstyledButton } from "@mantine/core";

import { countText } from "@/lib/format";

import type { Lane } from "../api/timeline";
import { drawnLane } from "../engine/drawTimeline";
import classes from "./ObjectTable.module.css";

interface Props {
  lane: Lane;
  isChosen: boolean;
  onChoose: () => void;
  onGoTo: (frame: number) => void;
}

/** One class or track. */
export function ObjectRow({ lane, isChosen, onChoose, onGoTo }: Props) {
  const { name, colour } = drawnLane(lane);
  return (
    <Table.Tr className={classes["row"] ?? ""} data-chosen={isChosen || undefined} aria-selected={isChosen}>
      <Table.Td>
        <UnstyledButton onClick={onChoose} fz="sm">
          <Group gap="xs" wrap="nowrap">
            <ColorSwatch color={colour} size={12} radius="sm" withShadow={false} aria-hidden />
            {name}
          </Group>
        </UnstyledButton>
      </Table.Td>
      <Table.Td visibleFrom="sm" c="dimmed">
        {lane.tool}
      </Table.Td>
      <FrameCell frame={lane.first_frame} onGoTo={onGoTo} />
      <FrameCell frame={lane.last_frame} onGoTo={onGoTo} />
      <Table.Td ta="right">{countText(lane.frames)}</Table.Td>
    </Table.Tr>
  );
}

function FrameCell({ frame, onGoTo }: { frame: number; onGoTo: (frame: number) => void }) {
  return (
    <Table.Td ta="right">
      <UnstyledButton
        fz="sm"
        c="var(--mantine-color-anchor)"
        onClick={() => onGoTo(frame)}
        aria-label={`Show frame ${frame}`}
      >
        {countText(frame)}
      </UnstyledButton>
    </Table.Td>
  );
}
