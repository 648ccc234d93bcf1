import { Group, Stack, Text, Title } from "@mantine/core";

import { StatusBadge } from "@/components/ui/StatusBadge";
import { countText } from "@/lib/format";

import type { InspectedPlugin } from "./facts";
import { LatencyBudget } from "./LatencyBudget";
import { StepTimings } from "./StepTimings";

/** One plugin of the inspector. */
export function PluginFacts({ plugin, slowestMs }: { plugin: InspectedPlugin; slowestMs: number }) {
  return (
    <Stack gap={8} component="article" aria-label={plugin.name}>
      <Group justify="space-between" gap="xs">
        <Title order={3} size="h6">
          {plugin.name}
        </Title>
        <StatusBadge status={plugin.status} />
      </Group>
      <Text size="xs" c="dimmed">
        {describe(plugin).join(" · ")}
      </Text>
      <StepTimings plugin={plugin.name} steps={plugin.steps} slowestMs={slowestMs} />
      <LatencyBudget totalMs={plugin.totalMs} budgetMs={plugin.budgetMs} />
      {plugin.health === undefined ? null : (
        <Group gap="xs">
          <Text size="xs" c="dimmed">
            Health
          </Text>
          <StatusBadge status={plugin.health.state} />
          {plugin.health.reason ? <Text size="xs">{plugin.health.reason}</Text> : null}
        </Group>
      )}
    </Stack>
  );
}

function describe(plugin: InspectedPlugin): string[] {
  const { version, model, outputFormat, inputShape, capabilities, device, framesProcessed } = plugin;
  return [
    version ? `version ${version}` : null,
    model ? `model ${model}` : null,
    outputFormat ? `gives ${outputFormat}` : null,
    inputShape ? `input ${inputShape.join(" × ")}` : null,
    capabilities !== undefined && capabilities.length > 0 ? capabilities.join(", ") : null,
    device ? `on ${device}` : null,
    framesProcessed === null || framesProcessed === undefined ? null : `${countText(framesProcessed)} frames`,
  ].filter((part) => part !== null);
}
