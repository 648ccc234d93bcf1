import { useQuery, useQueryClient } from "@tanstack/react-query";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";
import { polled, withLimit } from "@/lib/polling";

import { type PluginHealth, type Seen, seenAfter } from "./seen";

export type PluginReport = components["schemas"]["PluginReport"];

const EVERY_MS = 5_000;
const LIST_KEY = ["plugins", "list"] as const;

interface PluginsAndSeen {
  plugins: PluginHealth[];
  seen: Record<string, Seen>;
}

/** Every plugin, asked every five seconds, with what was seen of it since the page was opened. */
export function usePlugins() {
  const client = useQueryClient();
  return useQuery({
    ...polled,
    queryKey: LIST_KEY,
    queryFn: async ({ signal }): Promise<PluginsAndSeen> => {
      const plugins = bodyOf(await http.GET("/v1/plugins", { signal: withLimit(signal) }));
      const before = client.getQueryData<PluginsAndSeen>(LIST_KEY);
      return { plugins, seen: seenAfter(before?.seen, plugins, Date.now()) };
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
