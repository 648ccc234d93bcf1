import { useQuery } from "@tanstack/react-query";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";

/** What a plugin says of itself, and its health. */
export type PluginReport = components["schemas"]["PluginReport"];

/** The report about a job's plugin, asked once; a job is shown without it where there is none any more. */
export function usePluginOf(name: string): PluginReport | undefined {
  return useQuery({
    queryKey: ["plugins", "report", name],
    queryFn: async ({ signal }) => bodyOf(await http.GET("/v1/plugins/{name}", { params: { path: { name } }, signal })),
    staleTime: 60_000,
    retry: false,
  }).data;
}
