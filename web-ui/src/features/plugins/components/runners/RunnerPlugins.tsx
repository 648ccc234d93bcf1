import { Group, Stack, Text } from "@mantine/core";

import { StatusBadge } from "@/components/ui/StatusBadge";

import type { Runner } from "../../api/runners";
import { texts } from "../../texts";

/** The plugins of a runner, with their states there. */
export function RunnerPlugins({ plugins }: { plugins: Runner["plugins"] }) {
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>
        {texts.devices.plugins}
      </Text>
      {plugins.length === 0 ? <Text size="sm">{texts.devices.noPlugins}</Text> : null}
      <Stack gap={4}>
        {plugins.map(({ name, state }) => (
          <Group key={name} justify="space-between" gap="xs">
            <Text size="sm">{name}</Text>
            <StatusBadge status={state} />
          </Group>
        ))}
      </Stack>
    </div>
  );
}
