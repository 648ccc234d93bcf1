import { queryOptions } from "@tanstack/react-query";

import { bodyOf, http } from "@/lib/http";

/** The devices of the living runners. */
export const devicesQuery = queryOptions({
  queryKey: ["upload", "devices"],
  queryFn: async ({ signal }) => bodyOf(await http.GET("/v1/devices", { signal })),
  staleTime: 10_000,
});
