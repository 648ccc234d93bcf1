import { queryOptions } from "@tanstack/react-query";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";

/** A plugin as the list has it. */
export type PluginHealth = components["schemas"]["PluginHealth"];

/** A tool as its plugin's manifest describes it. */
export type Tool = components["schemas"]["ToolManifest"];

/** Every plugin that a runner knows. */
export const pluginsQuery = queryOptions({
  queryKey: ["upload", "plugins"],
  queryFn: async ({ signal }) => bodyOf(await http.GET("/v1/plugins", { signal })),
  refetchInterval: 5_000,
});

/** One plugin with its tools. */
export function pluginQuery(name: string) {
  return queryOptions({
    queryKey: ["upload", "plugin", name],
    queryFn: async ({ signal }) => bodyOf(await http.GET("/v1/plugins/{name}", { params: { path: { name } }, signal })),
    staleTime: 30_000,
  });
}

/** Whether jobs may be submitted to a plugin. */
export function isUsable(plugin: PluginHealth): boolean {
  return plugin.state !== "FAILED" && plugin.state !== "UNAVAILABLE";
}
