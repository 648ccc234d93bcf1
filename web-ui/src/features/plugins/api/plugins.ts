import { useQuery, useQueryClient } from "@tanstack/react-query";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";
import { polled, withLimit } from "@/lib/polling";

import { latenciesAfter, type Latencies } from "./latencies";

export type PluginHealth = components["schemas"]["PluginHealth"];
export type PluginReport = components["schemas"]["PluginReport"];

const EVERY_MS = 5_000;
const LIST_KEY = ["plugins", "list"] as const;

interface PluginsAndLatencies {
  plugins: PluginHealth[];
  latencies: Latencies;
}

/** Every plugin, asked every five seconds, with its latencies since the page was opened. */
export function usePlugins() {
  const client = useQueryClient();
  return useQuery({
    ...polled,
    queryKey: LIST_KEY,
    queryFn: async ({ signal }): Promise<PluginsAndLatencies> => {
      const plugins = bodyOf(await http.GET("/v1/plugins", { signal: withLimit(signal) }));
      const before = client.getQueryData<PluginsAndLatencies>(LIST_KEY);
      return { plugins, latencies: latenciesAfter(before?.latencies, plugins) };
    },
    refetchInterval: EVERY_MS,
    gcTime: Infinity,
  });
}

/** Everything about one plugin; asked again every five seconds while it is read (`isOpen`). */
export function usePluginReport(name: string, isOpen: boolean) {
  return useQuery({
    ...polled,
    queryKey: ["plugins", "report", name],
    queryFn: async ({ signal }): Promise<PluginReport> =>
      bodyOf(await http.GET("/v1/plugins/{name}", { params: { path: { name } }, signal: withLimit(signal) })),
    staleTime: isOpen ? 0 : 60_000,
    refetchInterval: isOpen ? EVERY_MS : false,
    refetchOnWindowFocus: isOpen,
  });
}
