import { Badge, Group, Text, Timeline } from "@mantine/core";

import { momentText } from "@/lib/format";

import type { AttemptFacts, JobFacts } from "../api/record";
import { texts } from "../texts";
import { LogTail } from "./LogTail";
import { Section } from "./Section";

const GOOD = "succeeded";
const CALM: readonly string[] = ["cancelled", "released", "fenced"];

/** Each claim of a job: how it ended, at which frame, and what its plugin said last. */
export function AttemptList({ job }: { job: JobFacts }) {
  const { attempts = [] } = job;
  return (
    <Section title={texts.attempts.title}>
      {attempts.length === 0 ? (
        <Text size="sm" c="dimmed">
          {texts.attempts.empty}
        </Text>
      ) : (
        <Timeline active={attempts.length - 1} bulletSize={14} lineWidth={2} color={colourOfOutcome(attempts.at(-1))}>
          {attempts.map((attempt) => (
            <Timeline.Item key={attempt.number} aria-current={attempt.number === job.attempt ? "step" : undefined}>
              <Attempt attempt={attempt} isToldAbove={job.status === "failed" && attempt === attempts.at(-1)} />
            </Timeline.Item>
          ))}
        </Timeline>
      )}
    </Section>
  );
}

/** The log of the attempt that ended a failed job stands with the failure. */
function Attempt({ attempt, isToldAbove }: { attempt: AttemptFacts; isToldAbove: boolean }) {
  return (
    <>
      <Group gap="xs">
        <Text size="sm" fw={600}>
          {attempt.number}
        </Text>
        <Badge size="sm" variant="light" color={colourOfOutcome(attempt)} tt="none">
          {attempt.outcome ?? texts.attempts.running}
        </Badge>
        {typeof attempt.frame === "number" ? (
          <Text size="xs" c="dimmed">
            {attempt.outcome === GOOD ? texts.attempts.rows(attempt.frame) : texts.attempts.frame(attempt.frame)}
          </Text>
        ) : null}
      </Group>
      <Text size="xs" c="dimmed">
        {momentText(attempt.started_at)} · {attempt.runner_id}
      </Text>
      {typeof attempt.log_tail === "string" && attempt.log_tail !== "" && !isToldAbove ? (
        <LogTail title={texts.attempts.log} text={attempt.log_tail} />
      ) : null}
    </>
  );
}

function colourOfOutcome(attempt: AttemptFacts | undefined): string {
  const outcome = attempt?.outcome ?? null;
  if (outcome === null) return "blue";
  if (outcome === GOOD) return "green";
  return CALM.includes(outcome) ? "gray" : "red";
}
