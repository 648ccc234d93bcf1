import { Card, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCpu } from "@tabler/icons-react";

import { Meter } from "@/components/ui/Meter";
import { bytesText } from "@/lib/format";

interface Props {
  /** "CPU", or what the GPU calls itself. */
  name: string;
  /** 0 to 1; null when it was not measured; left out where it does not belong. */
  usage?: number | null;
  memory?: { usedBytes: number; totalBytes: number } | null;
  /** Set when the job runs here although its plugin prefers another device; `reason` says why. */
  fallback?: { reason: string | null } | null;
}

/** A device: how busy it is, how full its memory is, and whether it stands in for another. */
export function DeviceIndicator({ name, usage, memory, fallback = null }: Props) {
  return (
    <Card withBorder padding="sm" component="section" aria-label={`Device ${name}`}>
      <Stack gap="xs">
        <Group gap="xs" wrap="nowrap">
          <IconCpu size={18} aria-hidden />
          <Text size="sm" fw={600}>
            {name}
          </Text>
        </Group>
        {usage === undefined ? null : <Meter label="Usage" ratio={usage} />}
        {memory === undefined ? null : <Meter label="Memory" ratio={memoryRatio(memory)} {...memoryFigures(memory)} />}
        {fallback === null ? null : (
          <Group gap="xs" wrap="nowrap" align="flex-start">
            <IconAlertTriangle size={16} aria-hidden />
            <Text size="xs">Fallback: {fallback.reason ?? "the preferred device was not available"}</Text>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

function memoryRatio(memory: Props["memory"]): number | null {
  return memory ? memory.usedBytes / memory.totalBytes : null;
}

function memoryFigures(memory: Props["memory"]): { text?: string } {
  return memory ? { text: `${bytesText(memory.usedBytes)} of ${bytesText(memory.totalBytes)}` } : {};
}
