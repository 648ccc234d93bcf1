import { queryOptions } from "@tanstack/react-query";

import { bodyOf, http } from "@/lib/http";

/** What the server says of itself: its limits. */
export const serviceFactsQuery = queryOptions({
  queryKey: ["upload", "service-facts"],
  queryFn: async ({ signal }) => bodyOf(await http.GET("/v1", { signal })),
  staleTime: 60_000,
});
