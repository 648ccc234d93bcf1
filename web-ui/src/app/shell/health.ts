import { queryOptions } from "@tanstack/react-query";

import { bodyOf, http } from "@/lib/http";

/** How the server is, asked every five seconds; not tried again in between, so that silence is seen at once. */
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: async ({ signal }) => bodyOf(await http.GET("/health", { signal })),
  refetchInterval: 5_000,
  retry: false,
});
