import { Code, Grid, Text } from "@mantine/core";

import { countText, durationText, momentText } from "@/lib/format";

import type { JobFacts } from "../api/record";
import { texts } from "../texts";
import { Section } from "./Section";

/** What was submitted and what came of it; the header and the overlay tell the plugin, its tools, the device and the frames. */
export function JobFactsList({ job }: { job: JobFacts }) {
  const { record } = texts;
  const facts = [
    [record.found, foundText(job)],
    [record.damaged, damagedText(job)],
    [record.size, sizeText(job)],
    [record.codec, job.decode?.codec ?? null],
    [record.submitted, momentText(job.created_at)],
    [record.took, tookText(job)],
    [record.id, job.job_id],
  ] as const;
  const options = job.options ?? {};
  return (
    <Section title={record.facts}>
      <Grid component="dl" m={0} gap={4}>
        {facts.map(([name, value]) => (value === null ? null : <Fact key={name} name={name} value={value} />))}
      </Grid>
      {Object.keys(options).length === 0 ? null : (
        <>
          <Text size="xs" c="dimmed" mt="xs">
            {record.options}
          </Text>
          <Code block fz="xs" mt={4} tabIndex={0} aria-label={record.options}>
            {JSON.stringify(options, null, 2)}
          </Code>
        </>
      )}
    </Section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <Grid.Col span={4} component="dt" py={2}>
        <Text size="xs" c="dimmed">
          {name}
        </Text>
      </Grid.Col>
      <Grid.Col span={8} component="dd" m={0} py={2}>
        <Text size="sm" lineClamp={2} title={value}>
          {value}
        </Text>
      </Grid.Col>
    </>
  );
}

function foundText(job: JobFacts): string | null {
  const { summary } = job;
  if (summary === null || summary === undefined) return null;
  const classes = Object.entries(summary.classes ?? {}).map(([name, count]) => `${name} ${countText(count)}`);
  const boxes = `${countText(summary.detection_count)} detections`;
  return classes.length === 0 ? boxes : `${boxes} (${classes.join(", ")})`;
}

function damagedText({ decode }: JobFacts): string | null {
  const corrupt = decode?.frames_corrupt ?? 0;
  return corrupt === 0 ? null : countText(corrupt);
}

function sizeText(job: JobFacts): string | null {
  const { decode } = job;
  if (typeof decode?.width !== "number" || typeof decode.height !== "number") return null;
  return `${decode.width} × ${decode.height}${decode.rotation === 0 ? "" : `, turned by ${decode.rotation}°`}`;
}

function tookText(job: JobFacts): string | null {
  const { started_at: started, completed_at: completed } = job;
  if (typeof started !== "string" || typeof completed !== "string") return null;
  return durationText((Date.parse(completed) - Date.parse(started)) / 1_000);
}
