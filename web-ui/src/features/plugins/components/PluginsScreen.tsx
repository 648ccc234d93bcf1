import { Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useSearchParams } from "react-router";

import { EmptyState } from "@/components/feedback/EmptyState";
import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { StaleSince } from "@/components/feedback/StaleSince";
import { Spinner } from "@/components/Spinner";

import { type PluginHealth, usePlugins } from "../api/plugins";
import { texts } from "../texts";
import { PluginCard } from "./cards/PluginCard";
import { PluginDrawer } from "./details/PluginDrawer";

/** Every plugin as a card; `?plugin=name` opens the details of one. */
export function PluginsScreen({ title }: { title: string }) {
  const { data, error, isPending, dataUpdatedAt, refetch } = usePlugins();
  const [params, setParams] = useSearchParams();
  const open = (name: string | null) => setParams(name === null ? {} : { plugin: name }, { replace: true });
  return (
    <Stack>
      <Group justify="space-between" align="baseline">
        <Title order={1}>{title}</Title>
        {data === undefined || data.plugins.length === 0 ? null : (
          <Text size="sm" c="dimmed">
            {texts.plugins.summary(data.plugins.filter(isUsable).length, data.plugins.length)}
          </Text>
        )}
      </Group>
      {isPending ? <Spinner label={texts.plugins.loading} /> : null}
      {data === undefined && error !== null ? (
        <ProblemPanel isPolled error={error} onRetry={() => void refetch()} />
      ) : null}
      {data === undefined ? null : <StaleSince error={error} answeredAtMs={dataUpdatedAt} />}
      {data?.plugins.length === 0 ? <EmptyState {...texts.plugins.empty} /> : null}
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {data?.plugins.map((plugin) => (
          <PluginCard key={plugin.name} plugin={plugin} latenciesMs={data.latencies[plugin.name] ?? []} onOpen={open} />
        ))}
      </SimpleGrid>
      <PluginDrawer name={params.get("plugin")} onClose={() => open(null)} />
    </Stack>
  );
}

function isUsable({ state }: PluginHealth): boolean {
  return state === "INITIALIZED" || state === "RUNNING";
}
