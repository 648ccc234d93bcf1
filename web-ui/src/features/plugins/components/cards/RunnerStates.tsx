import { Group, Stack, Text } from "@mantine/core";

import { StatusBadge } from "@/components/ui/StatusBadge";
import type { components } from "@/lib/api";

import { texts } from "../../texts";

/** In which state a plugin is in each runner. */
export function RunnerStates({ runners }: { runners: readonly components["schemas"]["PluginRunner"][] }) {
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>
        {texts.plugins.runners}
      </Text>
      {runners.length === 0 ? <Text size="sm">{texts.plugins.noRunner}</Text> : null}
      <Stack gap={4}>
        {runners.map((runner) => (
          <div key={runner.runner_id}>
            <Group gap="xs" justify="space-between">
              <Text size="sm">{runner.runner_id}</Text>
              <Group gap={6}>
                {runner.policy == null ? null : (
                  <Text size="xs" c="dimmed">
                    {runner.policy}
                  </Text>
                )}
                <StatusBadge status={runner.state} />
              </Group>
            </Group>
            {runner.reason == null ? null : (
              <Text size="xs" c="dimmed">
                {runner.reason}
              </Text>
            )}
          </div>
        ))}
      </Stack>
    </div>
  );
}
