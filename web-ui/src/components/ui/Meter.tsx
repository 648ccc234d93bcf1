import { Group, Progress, Text } from "@mantine/core";

interface Props {
  label: string;
  /** 0 to 1, more is shown as too much; null is unknown. */
  ratio: number | null;
  /** What the ratio means in figures, such as "3.1 of 8 GiB". */
  text?: string;
}

/** How much of something is used. */
export function Meter({ label, ratio, text }: Props) {
  const percent = ratio === null ? null : Math.round(100 * Math.min(1, Math.max(0, ratio)));
  const shown = text ?? (percent === null ? "unknown" : `${percent}%`);
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="xs">{label}</Text>
        <Text size="xs" c="dimmed">
          {shown}
        </Text>
      </Group>
      <Progress.Root
        size="sm"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent ?? 0}
        aria-valuetext={shown}
      >
        <Progress.Section
          value={percent ?? 0}
          color={ratio !== null && ratio > 1 ? "red" : undefined}
          withAria={false}
        />
      </Progress.Root>
    </div>
  );
}
