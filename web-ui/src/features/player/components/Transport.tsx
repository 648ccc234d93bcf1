import { Group, NativeSelect } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipBack,
  IconPlayerSkipForward,
  IconSquareChevronsLeft,
  IconSquareChevronsRight,
} from "@tabler/icons-react";

import type { ReviewSession } from "../engine/ReviewSession";
import { useReview } from "../hooks/useReview";
import { texts } from "../texts";
import { FrameReadout } from "./FrameReadout";
import { TransportButton } from "./TransportButton";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8];
const SIZE = 18;

interface Props {
  session: ReviewSession;
  /** Where anything is found, for the buttons that go to detections. */
  ranges: readonly (readonly [number, number])[];
}

/** Play, step, go to detections, speed. */
export function Transport({ session, ranges }: Props) {
  const isPlaying = useReview(session, (state) => state.player?.isPlaying ?? false);
  const speed = useReview(session, (state) => state.player?.speed ?? 1);
  const last = session.table.count - 1;
  return (
    <Group role="group" aria-label={texts.transport.label} gap="xs" justify="space-between">
      <Group gap={2} wrap="nowrap">
        <TransportButton label={texts.transport.first} onClick={() => session.player?.goTo(0)}>
          <IconPlayerSkipBack size={SIZE} />
        </TransportButton>
        <TransportButton
          label={texts.transport.previousDetection}
          onClick={() => void session.goToDetection(-1, ranges)}
          isDisabled={ranges.length === 0}
        >
          <IconSquareChevronsLeft size={SIZE} />
        </TransportButton>
        <TransportButton label={texts.transport.back} onClick={() => session.player?.step(-1)}>
          <IconChevronLeft size={SIZE} />
        </TransportButton>
        <TransportButton
          label={isPlaying ? texts.transport.pause : texts.transport.play}
          onClick={() => session.player?.toggle()}
          isMain
        >
          {isPlaying ? <IconPlayerPauseFilled size={SIZE} /> : <IconPlayerPlayFilled size={SIZE} />}
        </TransportButton>
        <TransportButton label={texts.transport.on} onClick={() => session.player?.step(1)}>
          <IconChevronRight size={SIZE} />
        </TransportButton>
        <TransportButton
          label={texts.transport.nextDetection}
          onClick={() => void session.goToDetection(1, ranges)}
          isDisabled={ranges.length === 0}
        >
          <IconSquareChevronsRight size={SIZE} />
        </TransportButton>
        <TransportButton label={texts.transport.last} onClick={() => session.player?.goTo(last)}>
          <IconPlayerSkipForward size={SIZE} />
        </TransportButton>
      </Group>
      <FrameReadout session={session} />
      <NativeSelect
        aria-label={texts.transport.speed}
        size="xs"
        w={76}
        value={String(speed)}
        data={SPEEDS.map((value) => ({ value: String(value), label: `${value}×` }))}
        onChange={(event) => session.player?.setSpeed(Number(event.currentTarget.value))}
      />
    </Group>
  );
}
