import { Stack, Text } from "@mantine/core";
import { useEffect, useMemo } from "react";

import { ErrorBanner } from "@/components/ErrorBanner";

import { playableAddress } from "../api/playable";
import { rowsOf } from "../api/rows";
import { useTimeline } from "../api/timeline";
import type { FrameTable } from "../engine/FrameTable";
import { ReviewSession } from "../engine/ReviewSession";
import { busyRanges } from "../engine/timelineGeometry";
import { useMediaFailure } from "../hooks/useMediaFailure";
import { useReview } from "../hooks/useReview";
import { useReviewKeys } from "../hooks/useReviewKeys";
import { texts } from "../texts";
import { Findings } from "./Findings";
import { MediaFailed } from "./MediaFailed";
import { PlayerStage } from "./PlayerStage";
import { Transport } from "./Transport";
import { ViewControls } from "./ViewControls";

/** What a review needs to know of a job. */
export interface ReviewedJob {
  id: string;
  tools: readonly string[];
  /** How many frames were analysed, from the first one on. */
  analysed: number;
}

interface Props {
  job: ReviewedJob;
  table: FrameTable;
  wanted: { frame: number };
  addressOf: (frame: number) => string;
}

const MARKS = { unknown: texts.stage.unknown, notLoaded: texts.stage.notLoaded };

/** The player, its controls, the timeline and the table of objects. */
export function ReadyReview({ job, table, wanted, addressOf }: Props) {
  const tools = job.tools.join(" ");
  const session = useMemo(
    () => new ReviewSession(table, tools.split(" "), rowsOf(job.id), MARKS),
    [table, tools, job.id],
  );
  const timeline = useTimeline(job.id, table.count);
  const src = useMemo(() => playableAddress(job.id), [job.id]);
  const media = useMediaFailure(job.id, texts.stage.broken);
  const hasMissed = useReview(session, (state) => state.player?.hasMissed ?? false);
  const search = useReview(session, (state) => state.search);
  const ranges = useMemo(() => rangesOf(timeline.data, table), [timeline.data, table]);
  useReviewKeys(session, ranges);
  useEffect(() => session.goToFrame(wanted.frame), [session, wanted]);

  return (
    <Stack gap="sm">
      {!canNameFrames() ? (
        <ErrorBanner title={texts.stage.unsupported.title} detail={texts.stage.unsupported.next} />
      ) : media.failure !== null ? (
        <MediaFailed failure={media.failure} refused={texts.stage.refused} onRetry={media.retry} />
      ) : (
        <>
          <PlayerStage key={media.tries} session={session} src={src} onFailed={(error) => void media.failed(error)} />
          <Transport session={session} ranges={ranges} />
          <ViewControls session={session} addressOf={addressOf} />
          <Text size="xs" c="dimmed" role="status">
            {hasMissed ? texts.transport.missed : search === null ? "" : texts.transport.search[search]}
          </Text>
        </>
      )}
      <Findings session={session} timeline={timeline} analysed={job.analysed} />
    </Stack>
  );
}

/** Whether this browser says which picture of a video it shows. */
function canNameFrames(): boolean {
  return "requestVideoFrameCallback" in HTMLVideoElement.prototype && "VideoFrame" in globalThis;
}

function rangesOf(timeline: ReturnType<typeof useTimeline>["data"], table: FrameTable): [number, number][] {
  if (timeline === undefined) return table.count === 0 ? [] : [[table.frameAt(0), table.frameAt(table.count - 1)]];
  const scale = { bins: timeline.bins, totalFrames: timeline.total_frames };
  return busyRanges(timeline.lanes, scale);
}
