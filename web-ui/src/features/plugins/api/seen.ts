import type { components } from "@/lib/api";

export type PluginHealth = components["schemas"]["PluginHealth"];
export type PluginState = components["schemas"]["PluginState"];

/** What this page has seen of a plugin since it was opened; the server tells only how things are now. */
export interface Seen {
  state: PluginState;
  /** When it was first seen in this state, as Date.now() gives it. */
  sinceMs: number;
  /** Whether the page saw it come into this state; else it may have been so for longer. */
  isObserved: boolean;
  /** Its mean latencies, oldest first, one of each answer that had one. */
  latenciesMs: readonly number[];
}

const MOST_LATENCIES = 60;

/** Add an answer to what was seen before it. */
export function seenAfter(
  before: Readonly<Record<string, Seen>> | undefined,
  plugins: readonly PluginHealth[],
  nowMs: number,
): Record<string, Seen> {
  const entries = plugins.map(({ name, state, avg_execution_time_ms: latencyMs }): [string, Seen] => {
    const known = before?.[name];
    const latenciesMs = [...(known?.latenciesMs ?? []), ...(latencyMs == null ? [] : [latencyMs])];
    const isSame = known?.state === state;
    return [
      name,
      {
        state,
        sinceMs: isSame ? known.sinceMs : nowMs,
        isObserved: isSame ? known.isObserved : before !== undefined,
        latenciesMs: latenciesMs.slice(-MOST_LATENCIES),
      },
    ];
  });
  return Object.fromEntries(entries);
}
