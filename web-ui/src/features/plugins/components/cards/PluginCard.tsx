import { Alert, Button, Card, Group, Stack, Text, Title } from "@mantine/core";

import { StatusBadge } from "@/components/ui/StatusBadge";
import { durationText, momentText } from "@/lib/format";

import { type PluginHealth, usePluginReport } from "../../api/plugins";
import { texts } from "../../texts";
import { Evidence } from "./Evidence";
import { Latency } from "./Latency";
import { ReloadButton } from "./ReloadButton";
import { RunnerStates } from "./RunnerStates";

interface Props {
  plugin: PluginHealth;
  latenciesMs: readonly number[];
  onOpen: (name: string) => void;
}

/** A plugin at a glance: whether it can be used, why not, and how it does. */
export function PluginCard({ plugin, latenciesMs, onOpen }: Props) {
  const report = usePluginReport(plugin.name, false);
  return (
    <Card withBorder component="article" aria-label={plugin.name} padding="lg">
      <Stack gap="md" h="100%">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <div>
            <Title order={2} size="h4">
              {plugin.name}
            </Title>
            <Text size="xs" c="dimmed">
              {factsOf(plugin)}
            </Text>
          </div>
          <StatusBadge status={plugin.state} />
        </Group>
        {plugin.description === "" ? null : <Text size="sm">{plugin.description}</Text>}
        {plugin.reason == null ? null : (
          <Alert color={plugin.state === "FAILED" ? "red" : "yellow"} variant="light" py="xs">
            {plugin.reason}
          </Alert>
        )}
        <Latency plugin={plugin} latenciesMs={latenciesMs} budgetMs={report.data?.timings.latency_budget_ms ?? null} />
        <Evidence plugin={plugin} />
        <RunnerStates runners={plugin.runners} />
        <Group mt="auto" gap="xs" align="flex-start">
          <Button
            size="xs"
            variant="default"
            aria-label={texts.plugins.detailsOf(plugin.name)}
            onClick={() => onOpen(plugin.name)}
          >
            {texts.plugins.details}
          </Button>
          <ReloadButton name={plugin.name} />
        </Group>
      </Stack>
    </Card>
  );
}

/** Its version, and for how long it has been ready, or since when it is not. */
function factsOf({ version, state, uptime_seconds: uptimeS, runners }: PluginHealth): string {
  const [since] = runners
    .flatMap((one) => (one.state === state && one.state_since != null ? [one.state_since] : []))
    .sort();
  const ready = uptimeS == null ? null : texts.plugins.readyFor(durationText(uptimeS));
  const facts = [version, ready ?? (since === undefined ? null : texts.plugins.since(momentText(since)))];
  return facts.filter((fact) => fact != null).join(" · ");
}
