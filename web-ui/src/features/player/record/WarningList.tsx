import { Anchor, Badge, Group, ScrollArea, Stack, Text } from "@mantine/core";

import type { JobFacts, WarningEntry } from "../api/record";
import { texts } from "../texts";
import { Section } from "./Section";

const COLOURS = { low: "gray", medium: "yellow", high: "red" } as const;

interface Props {
  job: JobFacts;
  /** Shows a frame; null while there is no player. */
  onGoTo: ((frame: number) => void) | null;
}

/** The warnings of a job, each with a way to the frame it is about. */
export function WarningList({ job, onGoTo }: Props) {
  const entries = entriesOf(job);
  return (
    <Section
      title={texts.warnings.title}
      aside={
        entries.length === 0 ? null : (
          <Badge variant="light" color="yellow">
            {entries.length}
          </Badge>
        )
      }
    >
      {entries.length === 0 ? (
        <Text size="sm" c="dimmed">
          {texts.warnings.empty}
        </Text>
      ) : (
        <ScrollArea.Autosize
          mah={260}
          viewportProps={{ tabIndex: 0, "aria-label": texts.warnings.title, role: "region" }}
        >
          <Stack gap="sm">
            {entries.map((entry) => (
              <Warning key={entry.index} entry={entry} onGoTo={onGoTo} />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      )}
    </Section>
  );
}

function Warning({ entry, onGoTo }: { entry: WarningEntry; onGoTo: Props["onGoTo"] }) {
  const { frame_index: frame } = entry;
  return (
    <div>
      <Group gap="xs">
        <Badge size="xs" variant="light" color={COLOURS[entry.severity]} tt="none">
          {texts.warnings.severity[entry.severity]}
        </Badge>
        {frame === null || onGoTo === null ? null : (
          <Anchor component="button" type="button" size="xs" onClick={() => onGoTo(frame)}>
            {texts.warnings.jump(frame)}
          </Anchor>
        )}
      </Group>
      <Text size="sm">{entry.text}</Text>
    </div>
  );
}

function entriesOf(job: JobFacts): WarningEntry[] {
  const plain = (job.warnings ?? []).map((text, index) => ({
    index,
    text,
    frame_index: null,
    severity: "medium" as const,
  }));
  return job.warning_entries ?? plain;
}
