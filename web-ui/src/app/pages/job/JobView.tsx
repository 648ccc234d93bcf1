import { Anchor, Breadcrumbs, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { Link, useNavigate } from "react-router";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { StaleSince } from "@/components/feedback/StaleSince";
import { Spinner } from "@/components/Spinner";
import { isGone, useJobFacts } from "@/features/player/api/record";
import { JobHeader } from "@/features/player/record/JobHeader";
import { texts } from "@/features/player/texts";
import { documentTitle } from "@/lib/texts";

import { JobBody } from "./JobBody";

/** One job: loading, failed to load, stale, or there. */
export function JobView({ jobId }: { jobId: string }) {
  const record = useJobFacts(jobId);
  const navigate = useNavigate();
  const job = record.data;
  const filename = job?.filename ?? null;
  // No layout effect: the shell names the page with one, and would name it after this.
  useEffect(() => {
    if (filename !== null) document.title = documentTitle(filename);
  }, [filename]);
  if (job === undefined) {
    return record.error === null ? (
      <Spinner label={texts.record.loading} />
    ) : (
      <ProblemPanel isPolled error={record.error} onRetry={() => void record.refetch()} />
    );
  }
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/jobs" size="sm">
          {texts.record.jobs}
        </Anchor>
        <Text size="sm" c="dimmed" truncate maw={320} lh="sm">
          {job.filename ?? jobId}
        </Text>
      </Breadcrumbs>
      <StaleSince error={record.error} answeredAtMs={record.dataUpdatedAt} isFinal={isGone(record.error)} />
      <JobHeader job={job} onSubmitted={(newJobId) => void navigate(`/jobs/${newJobId}`)} />
      <JobBody job={job} />
    </Stack>
  );
}
