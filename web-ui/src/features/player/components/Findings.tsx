import { Group, Stack, Text, Title } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";

import { EmptyState } from "@/components/feedback/EmptyState";
import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { Spinner } from "@/components/Spinner";
import { countText } from "@/lib/format";

import type { useTimeline } from "../api/timeline";
import { coloursOf, drawnLane } from "../engine/drawTimeline";
import type { ReviewSession } from "../engine/ReviewSession";
import { texts } from "../texts";
import { ObjectTable } from "./ObjectTable";
import { Timeline } from "./Timeline";

interface Props {
  session: ReviewSession;
  timeline: ReturnType<typeof useTimeline>;
  /** How many frames were analysed, from the first one on. */
  analysed: number;
}

/** The timeline and the table of what was found; a lane chosen in the one is chosen in the other. */
export function Findings({ session, timeline, analysed }: Props) {
  const [chosen, setChosen] = useState<string | null>(null);
  const { data } = timeline;
  const colours = useMemo(() => coloursOf(data?.lanes ?? []), [data]);
  const lanes = useMemo(() => data?.lanes.map((lane) => drawnLane(lane, colours)) ?? [], [data, colours]);
  useEffect(() => session.setColours(colours), [session, colours]);
  const goTo = useCallback((frame: number) => session.goToFrame(frame), [session]);
  const choose = useCallback(
    (key: string, firstFrame: number) => {
      setChosen(key);
      goTo(firstFrame);
    },
    [goTo],
  );
  if (timeline.error !== null) return <ProblemPanel error={timeline.error} onRetry={() => void timeline.refetch()} />;
  if (data === undefined) return <Spinner label={texts.timeline.title} />;
  const isEmpty = data.lanes.length === 0;
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        {texts.timeline.title}
      </Title>
      <Timeline
        session={session}
        lanes={lanes}
        scale={{ bins: data.bins, totalFrames: data.total_frames }}
        analysed={analysed}
        chosen={chosen}
        onChoose={setChosen}
      />
      {analysed < data.total_frames ? (
        <Text size="xs" c="dimmed">
          {texts.timeline.tail(countText(analysed), countText(data.total_frames - 1))}
        </Text>
      ) : null}
      {data.lanes_omitted > 0 ? (
        <Text size="xs" c="dimmed">
          {texts.timeline.omitted(data.lanes_omitted)}
        </Text>
      ) : null}
      {isEmpty ? (
        <EmptyState {...texts.timeline.empty} />
      ) : (
        <>
          <Group justify="space-between" mt="sm">
            <Title order={2} size="h5">
              {texts.objects.title}
            </Title>
            <Text size="xs" c="dimmed">
              {texts.objects.count(data.lanes.length + data.lanes_omitted)}
            </Text>
          </Group>
          <ObjectTable lanes={data.lanes} drawn={lanes} chosen={chosen} onChoose={choose} onGoTo={goTo} />
        </>
      )}
    </Stack>
  );
}
