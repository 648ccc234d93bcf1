import { Card, Stack, Text, Title } from "@mantine/core";

import type { InspectedPlugin, InspectedWarning } from "./inspector/facts";
import { PluginFacts } from "./inspector/PluginFacts";
import { WarningLog } from "./inspector/WarningLog";

interface Props {
  /** In the order in which they run. */
  plugins: readonly InspectedPlugin[];
  warnings: readonly InspectedWarning[];
  /** How many more warnings there are that are not shown. */
  omittedWarnings?: number;
  /** Makes the frames of warnings into links. */
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** What the plugins of a job are, how long each step takes, and what they warned of. */
export function PluginInspector({ plugins, warnings, omittedWarnings = 0, onFrame }: Props) {
  const slowestMs = Math.max(0, ...plugins.flatMap((plugin) => plugin.steps.map((step) => step.ms)));
  return (
    <Card id="plugin-inspector" component="section" aria-label="Plugin inspector" withBorder padding="md">
      <Stack gap="md">
        <Title order={2} size="h5">
          Plugins
        </Title>
        {plugins.length === 0 ? (
          <Text size="sm" c="dimmed">
            No plugins running
          </Text>
        ) : (
          plugins.map((plugin) => <PluginFacts key={plugin.name} plugin={plugin} slowestMs={slowestMs} />)
        )}
        <WarningLog warnings={warnings} omitted={omittedWarnings} onFrame={onFrame} />
      </Stack>
    </Card>
  );
}
