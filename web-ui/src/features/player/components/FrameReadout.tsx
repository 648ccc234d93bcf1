import { Group, NumberInput, Text } from "@mantine/core";
import { useState } from "react";

import { clockText, countText } from "@/lib/format";

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
