import { Grid, SimpleGrid, Stack } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { useLocation } from "react-router";

import { usePluginOf } from "@/features/player/api/plugin";
import { hasEnded, type JobFacts } from "@/features/player/api/record";
import { AttemptList } from "@/features/player/record/AttemptList";
import { Downloads } from "@/features/player/record/Downloads";
import { FailurePanel } from "@/features/player/record/FailurePanel";
import { JobFactsList } from "@/features/player/record/JobFactsList";
import { TimingBars } from "@/features/player/record/TimingBars";
import { RealtimeOverlay } from "@/features/realtime/RealtimeOverlay";

import { endedFactsOf } from "./overlayFacts";
import { frameOfHash, hashOfFrame } from "./frameHash";
import { JobReview } from "./JobReview";
import { LiveSection } from "./LiveSection";

/** The review or the live view at the left, the record at the right. */
export function JobBody({ job }: { job: JobFacts }) {
  const { hash } = useLocation();
  const linked = useMemo(() => ({ frame: frameOfHash(hash) }), [hash]);
  const [asked, setAsked] = useState<{ frame: number; hash: string } | null>(null);
  const wanted = asked !== null && asked.hash === hash ? asked : linked;
  const addressOf = useCallback(
    (frame: number) => `${globalThis.location.origin}/jobs/${job.job_id}${hashOfFrame(frame)}`,
    [job.job_id],
  );
  const hasFrames = hasEnded(job) && (job.current_frame ?? 0) > 0 && !job.job_type.startsWith("image");
  const report = usePluginOf(job.plugin_id);
  const ended = useMemo(() => endedFactsOf(job, report), [job, report]);
  const goTo = hasFrames ? (frame: number) => setAsked({ frame, hash }) : null;
  const isLive = !hasEnded(job);
  const measured = (
    <>
      <TimingBars job={job} />
      <AttemptList job={job} />
    </>
  );
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, lg: 8 }}>
        <Stack gap="md">
          {job.status === "failed" ? <FailurePanel job={job} onGoTo={goTo} /> : null}
          {hasEnded(job) ? <JobReview job={job} wanted={wanted} addressOf={addressOf} /> : <LiveSection job={job} />}
          {isLive ? <SimpleGrid cols={{ base: 1, sm: 2 }}>{measured}</SimpleGrid> : null}
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 4 }}>
        <Stack gap="md">
          <JobFactsList job={job} />
          {hasEnded(job) ? <Downloads job={job} /> : null}
          {ended === null ? null : <RealtimeOverlay endedFacts={ended} onFrame={goTo ?? undefined} />}
          {isLive ? null : measured}
        </Stack>
      </Grid.Col>
    </Grid>
  );
}
