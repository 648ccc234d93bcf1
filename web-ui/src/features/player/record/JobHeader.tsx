import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconPlayerStop, IconRefresh } from "@tabler/icons-react";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { StatusBadge } from "@/components/ui/StatusBadge";

import { hasEnded, type JobFacts, useCancelJob, useRetry } from "../api/record";
import { texts } from "../texts";

interface Props {
  job: JobFacts;
  /** Called with the id of the job that "submit again" made. */
  onSubmitted: (jobId: string) => void;
}

/** The name of a job, its state, and what can be done with it. */
export function JobHeader({ job, onSubmitted }: Props) {
  const retry = useRetry(job.job_id, onSubmitted);
  const cancel = useCancelJob(job.job_id);
  const error = retry.error ?? cancel.error;
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="sm">
        <div>
          <Group gap="sm">
            <Title order={1} size="h3" lineClamp={2}>
              {job.filename ?? `Job ${job.job_id.slice(0, 8)}`}
            </Title>
            <StatusBadge status={job.status} />
          </Group>
          <Text size="sm" c="dimmed">
            {job.plugin_id} · {job.tools.join(", ")}
          </Text>
        </div>
        {hasEnded(job) ? (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconRefresh size={14} aria-hidden />}
            loading={retry.isBusy}
            onClick={retry.submit}
          >
            {texts.record.retry}
          </Button>
        ) : (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlayerStop size={14} aria-hidden />}
            loading={cancel.isPending}
            onClick={() => cancel.mutate()}
          >
            {texts.record.cancel}
          </Button>
        )}
      </Group>
      {error === null ? null : <ProblemPanel error={error} />}
    </Stack>
  );
}
