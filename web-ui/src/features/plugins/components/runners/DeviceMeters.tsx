import { Group, Stack, Text } from "@mantine/core";
import { IconCpu, IconDeviceDesktopAnalytics } from "@tabler/icons-react";

import { Meter } from "@/components/ui/Meter";
import { bytesText } from "@/lib/format";

import type { Device } from "../../api/runners";
import { texts } from "../../texts";

/** How much of a device is used. */
export function DeviceMeters({ device }: { device: Device }) {
  const Icon = device.kind === "gpu" ? IconDeviceDesktopAnalytics : IconCpu;
  const used = device.memory_used_bytes ?? null;
  const total = device.memory_total_bytes ?? null;
  return (
    <Stack gap={6} role="group" aria-label={nameOf(device)}>
      <Group gap={6}>
        <Icon size={16} aria-hidden />
        <Text size="sm" fw={500}>
          {nameOf(device)}
        </Text>
      </Group>
      <Meter label={texts.devices.usage} ratio={device.utilisation_ratio ?? null} />
      <Meter
        label={texts.devices.memory}
        ratio={used === null || total === null || total === 0 ? null : used / total}
        text={
          used === null || total === null
            ? texts.devices.unknown
            : texts.devices.memoryOf(bytesText(used), bytesText(total))
        }
      />
    </Stack>
  );
}

function nameOf({ name, kind }: Device): string {
  return name.toLowerCase() === kind ? kind.toUpperCase() : name;
}
