import { useQuery } from "@tanstack/react-query";

import { bodyOf, http } from "@/lib/http";

/** The names of the plugins, to narrow the list by. */
export function usePluginNames(): readonly string[] {
  const { data } = useQuery({
    queryKey: ["jobs", "plugin names"],
    queryFn: async ({ signal }) => bodyOf(await http.GET("/v1/plugins", { signal })).map((plugin) => plugin.name),
    staleTime: 60_000,
  });
  return data ?? [];
}
