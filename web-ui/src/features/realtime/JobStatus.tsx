import { Anchor, Badge, Group, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { ErrorBanner } from "@/components/ErrorBanner";
import { ProgressBar } from "@/components/ProgressBar";

import { JobFigures } from "./components/JobFigures";
import { texts } from "./texts";
import { useJobProgress } from "./useJobProgress";
import { factsAfter, isOver } from "./view/jobFacts";
import type { JobFacts } from "./view/jobFacts";

interface Props {
  jobId: string;
  /** What the page knows already: a job that has ended opens no socket and is not asked for again. */
  known: JobFacts;
  /** When the page learnt that, as Date.now() gives it; left out where it will not learn more. */
  knownAtMs?: number;
  /** Asks for the job over HTTP; used while the socket is down. */
  askJob: (jobId: string) => Promise<JobFacts>;
  /** Where the results of the completed job are. */
  resultsHref?: string;
  /** Whether it has a bar; no where the page has one of its own. */
  hasBar?: boolean;
}

const POLL_MS = 2000;

/** The state of one job in a few lines: from its socket first, over HTTP while that is down. */
export function JobStatus({ jobId, known, knownAtMs = 0, askJob, resultsHref, hasBar = true }: Props) {
  const queryKey = ["job-status", jobId];
  const answer = useQueryClient().getQueryData<JobFacts>(queryKey) ?? known;
  const isKnownOver = isOver(known.status) || isOver(answer.status);
  const live = useJobProgress(isKnownOver ? null : jobId);
  const asked = useQuery({
    queryKey,
    queryFn: () => askJob(jobId),
    initialData: known,
    staleTime: POLL_MS,
    enabled: !isKnownOver && !isOver(live.status) && !live.isConnected,
    refetchInterval: ({ state }) => (state.data && isOver(state.data.status) ? false : POLL_MS),
  });
  const isKnownNewer = isOver(known.status) || knownAtMs >= asked.dataUpdatedAt;
  const facts = factsAfter(isKnownNewer ? known : asked.data, live);
  const source = live.isConnected ? texts.job.socket : texts.job.http;
  return (
    <Stack gap="sm" component="section" aria-label="Job status">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Group gap="xs">
          <Text size="sm" fw={600} aria-live="polite">
            Status: {facts.status}
          </Text>
          <JobFigures facts={facts} />
        </Group>
        {isOver(facts.status) ? null : (
          <Badge
            flex="none"
            variant="light"
            color={live.isConnected ? "green" : "yellow"}
            tt="none"
            title={source.title}
          >
            {source.text}
          </Badge>
        )}
      </Group>
      {hasBar ? <ProgressBar label={texts.progress.label} value={facts.percent} /> : null}
      {facts.error === null ? null : <ErrorBanner title={texts.job.failedTitle} detail={`Error: ${facts.error}`} />}
      {facts.status === "completed" && resultsHref !== undefined ? (
        <Anchor href={resultsHref}>{texts.job.results}</Anchor>
      ) : null}
    </Stack>
  );
}
