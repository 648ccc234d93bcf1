import { Stack, Text, Title } from "@mantine/core";

import { StatusBadge } from "@/components/ui/StatusBadge";
import { msText } from "@/lib/format";

import type { PluginReport } from "../../api/plugins";
import { texts } from "../../texts";
import { RunnerStates } from "../cards/RunnerStates";
import { type Fact, Facts } from "./Facts";
import { ToolView } from "./ToolView";

/** Everything about one plugin. */
export function ReportView({ report }: { report: PluginReport }) {
  const { metadata, health, timings, tools } = report;
  return (
    <Stack gap="lg">
      <div>
        <StatusBadge status={health.state} />
        <Text size="sm" mt="xs">
          {metadata.description}
        </Text>
        {health.reason == null ? null : (
          <Text size="sm" mt="xs" fw={500}>
            {health.reason}
          </Text>
        )}
      </div>
      <section>
        <Title order={3} size="h5" mb="xs">
          {texts.report.timings}
        </Title>
        <Facts
          facts={[
            { name: texts.report.last, value: measured(timings.last_execution_time_ms) },
            { name: texts.report.mean, value: measured(timings.avg_execution_time_ms) },
            {
              name: texts.report.budget,
              value: timings.latency_budget_ms === null ? texts.report.noBudget : msText(timings.latency_budget_ms),
            },
          ]}
        />
      </section>
      <section>
        <Title order={3} size="h5" mb="xs">
          {texts.report.tools}
        </Title>
        <Stack gap="md">
          {tools.map((tool) => (
            <ToolView key={tool.name} tool={tool} />
          ))}
        </Stack>
      </section>
      <section>
        <Title order={3} size="h5" mb="xs">
          {texts.report.facts}
        </Title>
        <Facts facts={factsOf(report)} />
      </section>
      <RunnerStates runners={report.runners} />
    </Stack>
  );
}

function measured(ms: number | null): string {
  return ms === null ? texts.plugins.noLatency : msText(ms);
}

function factsOf({ metadata }: PluginReport): Fact[] {
  const { requires, permissions } = metadata;
  const needs = [
    ...(requires.gpu ? [texts.report.gpu] : []),
    ...requires.packages,
    ...requires.models.map((m) => m.name),
  ];
  const facts = [
    { name: texts.report.author, value: metadata.author },
    { name: texts.report.license, value: metadata.license },
    { name: texts.report.capabilities, value: metadata.capabilities.join(", ") },
    { name: texts.report.isolation, value: texts.report.isolations[metadata.isolation] },
    { name: texts.report.needs, value: needs.join(", ") || texts.report.needsNothing },
    { name: texts.report.devices, value: permissions.devices.join(", ") || (requires.gpu ? "" : texts.report.cpuOnly) },
    { name: texts.report.mayRead, value: permissions.read.join(", ") },
  ];
  return facts.filter((fact) => fact.value !== "");
}
