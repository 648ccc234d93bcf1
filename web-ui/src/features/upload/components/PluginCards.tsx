import { Radio, SimpleGrid, Skeleton, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { EmptyState } from "@/components/feedback/EmptyState";
import { ProblemPanel } from "@/components/feedback/ProblemPanel";

import { isUsable, pluginsQuery } from "../api/plugins";
import { texts } from "../texts";
import { PluginCard } from "./PluginCard";

interface Props {
  chosen: string | null;
  onChoose: (plugin: string) => void;
}

/** The plugins, usable ones first. */
export function PluginCards({ chosen, onChoose }: Props) {
  const plugins = useQuery(pluginsQuery);
  if (plugins.isPending)
    return (
      <SimpleGrid cols={{ base: 1, xs: 2 }} role="status" aria-label={texts.plugins.loading}>
        <Skeleton h={200} />
        <Skeleton h={200} visibleFrom="xs" />
      </SimpleGrid>
    );
  if (plugins.data === undefined)
    return <ProblemPanel isPolled error={plugins.error} onRetry={() => void plugins.refetch()} />;
  if (plugins.data.length === 0) return <EmptyState title={texts.plugins.none} next={texts.plugins.noneNext} />;
  const sorted = plugins.data.toSorted((one, other) => Number(isUsable(other)) - Number(isUsable(one)));
  return (
    <Radio.Group value={chosen ?? ""} onChange={onChoose} aria-label={texts.plugins.title}>
      <VisuallyHidden>{texts.plugins.title}</VisuallyHidden>
      <Stack gap="sm">
        {sorted.some(isUsable) ? null : <Text size="sm">{texts.plugins.noneUsable}</Text>}
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          {sorted.map((plugin) => (
            <PluginCard key={plugin.name} plugin={plugin} />
          ))}
        </SimpleGrid>
      </Stack>
    </Radio.Group>
  );
}
