import { Group, Progress, Text } from "@mantine/core";

import classes from "./ProgressBar.module.css";

interface Props {
  /** Per cent; null while that is unknown. */
  value: number | null;
  label: string;
  /** `progress-bar`, for the one of a page that tells its job's progress. */
  id?: string;
  /** Figures below the bar: frames, speed. */
  detail?: string;
  color?: string;
}

/** How far something is. */
export function ProgressBar({ value, label, id, detail, color }: Props) {
  const percent = value === null || Number.isNaN(value) ? null : Math.min(100, Math.max(0, value));
  const shown = percent === null ? "Not known yet" : percent === 100 ? "Complete" : `${Math.floor(percent)}%`;
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={6} wrap="nowrap">
        <Text size="sm" fw={600} truncate>
          {label}
        </Text>
        <Text size="sm" fw={600} className={classes.figure}>
          {percent === null ? null : shown}
        </Text>
      </Group>
      <Progress.Root
        id={id}
        size="lg"
        radius="xl"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent ?? undefined}
        aria-valuetext={shown}
      >
        <Progress.Section
          value={percent ?? 100}
          color={color}
          withAria={false}
          striped={percent === null}
          animated={percent === null}
        />
      </Progress.Root>
      {detail === undefined ? null : (
        <Text size="xs" c="dimmed" mt={6} className={classes.detail}>
          {detail}
        </Text>
      )}
    </div>
  );
}
