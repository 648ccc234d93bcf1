import { Anchor, Badge, Card, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { ErrorBanner } from "@/components/ErrorBanner";
import { ProgressBar } from "@/components/ProgressBar";

import { JobFigures } from "./components/JobFigures";
import type { JobProgressStatus } from "./connection/JobEvents";
import { texts } from "./texts";
import { useJobProgress } from "./useJobProgress";
import { factsAfter } from "./view/jobFacts";
import type { JobFacts } from "./view/jobFacts";

interface Props {
  jobId: string;
  /** What the page knows already: a job that has ended opens no socket and is not asked for again. */
  known: JobFacts;
  /** Asks for the job over HTTP; used while the socket is down. */
  askJob: (jobId: string) => Promise<JobFacts>;
  /** Where the results of the completed job are. */
  resultsHref?: string;
}

const POLL_MS = 2000;
const ENDED: readonly JobProgressStatus[] = ["completed", "failed", "cancelled"];

/** The state of one job in a few lines: from its socket first, over HTTP while that is down. */
export function JobStatus({ jobId, known, askJob, resultsHref }: Props) {
  const live = useJobProgress(ENDED.includes(known.status) ? null : jobId);
  const hasEnded = ENDED.includes(known.status) || ENDED.includes(live.status);
  const asked = useQuery({
    queryKey: ["job-status", jobId],
    queryFn: () => askJob(jobId),
    initialData: known,
    staleTime: POLL_MS,
    enabled: !hasEnded && !live.isConnected,
    refetchInterval: ({ state }) => (state.data && ENDED.includes(state.data.status) ? false : POLL_MS),
  });
  const facts = factsAfter(ENDED.includes(known.status) ? known : asked.data, live);
  const source = live.isConnected ? texts.job.socket : texts.job.http;
  return (
    <Card withBorder padding="md" component="section" aria-label="Job status">
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="sm" fw={600} aria-live="polite">
            Status: {facts.status}
          </Text>
          {ENDED.includes(facts.status) ? null : (
            <Badge variant="light" color={live.isConnected ? "green" : "yellow"} tt="none" title={source.title}>
              {source.text}
            </Badge>
          )}
        </Group>
        <ProgressBar label={texts.progress.label} value={facts.percent} />
        <JobFigures facts={facts} />
        {facts.error === null ? null : <ErrorBanner title={texts.job.failedTitle} detail={`Error: ${facts.error}`} />}
        {facts.status === "completed" && resultsHref !== undefined ? (
          <Anchor href={resultsHref}>{texts.job.results}</Anchor>
        ) : null}
      </Stack>
    </Card>
  );
}
