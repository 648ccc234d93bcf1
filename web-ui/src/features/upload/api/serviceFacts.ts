import { queryOptions } from "@tanstack/react-query";

import { apiKey } from "@/lib/apiKey";
import { problemOf, RequestFailed } from "@/lib/problem";

// until the generated types have it
interface ServiceFacts {
  limits: { upload_bytes: number };
}

/** What the server says of itself: its limits. */
export const serviceFactsQuery = queryOptions({
  queryKey: ["upload", "service-facts"],
  queryFn: async ({ signal }): Promise<ServiceFacts> => {
    const key = apiKey();
    const answer = await fetch("/v1", { signal, headers: key === null ? {} : { "X-API-Key": key } });
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok) throw new RequestFailed(problemOf(answer.status, body));
    return body as ServiceFacts;
  },
  staleTime: 60_000,
});
