import "@mantine/charts/styles.css";

import { Sparkline } from "@mantine/charts";

/** Mean latencies as a line; a chunk of its own, since charts are heavy. */
export function LatencyTrend({ latenciesMs }: { latenciesMs: readonly number[] }) {
  return (
    <Sparkline h={36} data={[...latenciesMs]} curveType="monotone" color="cyan" fillOpacity={0.25} strokeWidth={1.5} />
  );
}
