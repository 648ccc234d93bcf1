import { Button, Group, Stack, Text } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";

import type { JobFacts } from "../api/record";
import { texts } from "../texts";
import { LogTail } from "./LogTail";

interface Props {
  job: JobFacts;
  onGoTo: ((frame: number) => void) | null;
}

/** Why a job failed: the cause, the frame, what was expected, what to do next, and what its plugin said last. */
export function FailurePanel({ job, onGoTo }: Props) {
  const [cause, next] = texts.failure.codes[job.error_code ?? ""] ?? [texts.failure.unknown, texts.failure.next];
  const last = job.attempts?.at(-1);
  const frame = last?.frame ?? null;
  const log = last?.log_tail ?? "";
  return (
    <ErrorBanner title={`${texts.failure.title}: ${lowered(cause)}`} detail={job.error_message ?? undefined}>
      <Stack gap="xs" w="100%">
        <Text size="sm" fw={600}>
          {next}
        </Text>
        {frame === null || frame === 0 || onGoTo === null ? null : (
          <Group>
            <Button size="compact-sm" variant="default" onClick={() => onGoTo(frame - 1)}>
              {texts.failure.show(frame - 1)}
            </Button>
          </Group>
        )}
        {log === "" ? null : (
          <div>
            <Text size="xs" c="dimmed">
              {texts.failure.log}
            </Text>
            <LogTail title={texts.failure.log} text={log} />
          </div>
        )}
      </Stack>
    </ErrorBanner>
  );
}

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
