import { Text } from "@mantine/core";
import { lazy, Suspense } from "react";

import { Meter } from "@/components/ui/Meter";
import { msText } from "@/lib/format";

import type { PluginHealth } from "../../api/plugins";
import { texts } from "../../texts";
import classes from "./cards.module.css";

const LatencyTrend = lazy(async () => ({ default: (await import("./LatencyTrend")).LatencyTrend }));

interface Props {
  plugin: PluginHealth;
  latenciesMs: readonly number[];
  /** What the plugin promises; null where it promises nothing, or that is not known yet. */
  budgetMs: number | null;
}

/** How long a plugin takes for a frame, against what it promises, and how that changed. */
export function Latency({ plugin, latenciesMs, budgetMs }: Props) {
  const meanMs = plugin.avg_execution_time_ms ?? null;
  const lastMs = plugin.last_execution_time_ms ?? null;
  return (
    <div>
      <Meter
        label={texts.plugins.latency}
        ratio={meanMs === null || budgetMs === null ? null : meanMs / budgetMs}
        text={latencyText(meanMs, budgetMs)}
      />
      {lastMs === null ? null : (
        <Text size="xs" c="dimmed" ta="right">
          {texts.plugins.lastLatency(msText(lastMs))}
        </Text>
      )}
      {latenciesMs.length < 2 ? null : (
        <div className={classes.trend} role="img" aria-label={texts.plugins.trend(plugin.name)}>
          <Suspense fallback={null}>
            <LatencyTrend latenciesMs={latenciesMs} />
          </Suspense>
        </div>
      )}
    </div>
  );
}

function latencyText(meanMs: number | null, budgetMs: number | null): string {
  if (meanMs === null) return texts.plugins.noLatency;
  if (budgetMs === null) return msText(meanMs);
  const words = meanMs > budgetMs ? texts.plugins.overBudget : texts.plugins.ofBudget;
  return words(msText(meanMs), msText(budgetMs));
}
