import { Group, NumberInput, Text } from "@mantine/core";
import { useState } from "react";

import { countText } from "@/lib/format";

import type { ReviewSession } from "../engine/ReviewSession";
import { useReview } from "../hooks/useReview";
import { texts } from "../texts";

/** Which frame is shown and when it is in the file; typing a number goes there, and Escape drops what was typed. */
export function FrameReadout({ session }: { session: ReviewSession }) {
  const frame = useReview(session, (state) => state.frame);
  const place = useReview(session, (state) => state.player?.place ?? null);
  const [typed, setTyped] = useState<string | number | null>(null);
  const { table } = session;
  const last = table.count === 0 ? 0 : table.frameAt(table.count - 1);
  const go = (): void => {
    if (typeof typed === "number") session.goToFrame(typed);
    setTyped(null);
  };
  return (
    <Group gap={6} wrap="nowrap">
      <NumberInput
        aria-label={texts.transport.frame}
        size="xs"
        w={88}
        min={0}
        max={last}
        allowDecimal={false}
        hideControls
        value={typed ?? frame ?? ""}
        onChange={setTyped}
        onBlur={go}
        onKeyDown={(event) => {
          if (event.key === "Enter") go();
          if (event.key === "Escape") setTyped(null);
        }}
      />
      <Text size="xs" c="dimmed">
        of {countText(last)}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace" visibleFrom="xs">
        {place === null ? "" : clockText(table.timeUs(place))}
      </Text>
    </Group>
  );
}

function clockText(us: number): string {
  const total = Math.floor(us / 1_000);
  const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor(total / 60_000) % 60;
  const before = hours === 0 ? String(minutes) : `${hours}:${pad(minutes, 2)}`;
  return `${before}:${pad(Math.floor(total / 1_000) % 60, 2)}.${pad(total % 1_000, 3)}`;
}
