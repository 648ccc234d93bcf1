import { Group, Progress, Stack, Text } from "@mantine/core";

import { msText } from "@/lib/format";

import type { JobFacts } from "../api/record";
import { texts } from "../texts";
import { Section } from "./Section";

const STAGES = ["fetch", "decode", "process", "encode", "publish"] as const;

/** Where a job's time went: its stages, over all frames so far. The overlay tells the time of each tool. */
export function TimingBars({ job }: { job: JobFacts }) {
  const stages = STAGES.map((stage) => ({
    label: texts.timings.stages[stage],
    ms: job.stage_timings_ms?.[stage] ?? 0,
  }));
  const isEmpty = stages.every(({ ms }) => ms === 0);
  return (
    <Section title={texts.timings.title}>
      {isEmpty ? (
        <Text size="sm" c="dimmed">
          {texts.timings.empty}
        </Text>
      ) : (
        <Stack gap={6}>
          <Bars bars={stages} />
        </Stack>
      )}
    </Section>
  );
}

function Bars({ bars }: { bars: readonly { label: string; ms: number }[] }) {
  const slowest = Math.max(...bars.map(({ ms }) => ms), 0.001);
  return bars.map(({ label, ms }) => (
    <div key={label}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="xs" truncate>
          {label}
        </Text>
        <Text size="xs" c="dimmed" ff="monospace">
          {msText(ms)}
        </Text>
      </Group>
      <Progress value={(100 * ms) / slowest} size="sm" aria-label={`${label}: ${msText(ms)}`} />
    </div>
  ));
}
