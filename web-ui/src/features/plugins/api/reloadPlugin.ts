import { useMutation, useQueryClient } from "@tanstack/react-query";

import { bodyOf, http } from "@/lib/http";

/** Ask the runners to load and check a plugin again. */
export function useReloadPlugin(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => bodyOf(await http.POST("/v1/plugins/{name}/reload", { params: { path: { name } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["plugins"] }),
  });
}
