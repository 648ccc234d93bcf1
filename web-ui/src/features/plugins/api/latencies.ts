import type { components } from "@/lib/api";

/** The mean latencies of each plugin, oldest first, one of each answer that had one. */
export type Latencies = Readonly<Record<string, readonly number[]>>;

const MOST = 60;

/** Add an answer to the latencies of those before it: the server tells only how they are now. */
export function latenciesAfter(
  before: Latencies | undefined,
  plugins: readonly Pick<components["schemas"]["PluginHealth"], "name" | "avg_execution_time_ms">[],
): Latencies {
  const entries = plugins.map(({ name, avg_execution_time_ms: meanMs }): [string, readonly number[]] => {
    const known = before?.[name] ?? [];
    return [name, meanMs == null ? known : [...known, meanMs].slice(-MOST)];
  });
  return Object.fromEntries(entries);
}
