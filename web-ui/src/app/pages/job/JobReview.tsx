import { Stack } from "@mantine/core";

import { EmptyState } from "@/components/feedback/EmptyState";
import { StaleNotice } from "@/components/feedback/StaleNotice";
import type { JobFacts } from "@/features/player/api/record";
import { ImageReview } from "@/features/player/components/ImageReview";
import { VideoReview } from "@/features/player/components/VideoReview";
import { texts } from "@/features/player/texts";

interface Props {
  job: JobFacts;
  wanted: { frame: number };
  addressOf: (frame: number) => string;
}

/** The review of a job that has ended. */
export function JobReview({ job, wanted, addressOf }: Props) {
  const analysed = job.current_frame ?? 0;
  if (analysed === 0) return <EmptyState {...texts.states.noRows} />;
  const reviewed = { id: job.job_id, tools: job.tools, analysed };
  const { title, next } = texts.states.cancelled;
  return (
    <Stack gap="sm">
      {job.status === "cancelled" ? <StaleNotice text={`${title}. ${next}`} /> : null}
      {job.job_type.startsWith("image") ? (
        <ImageReview job={reviewed} addressOf={addressOf} />
      ) : (
        <VideoReview job={reviewed} wanted={wanted} addressOf={addressOf} />
      )}
    </Stack>
  );
}
