import createClient from "openapi-fetch";

import type { paths } from "./api";
import { apiKey, wantApiKey } from "./apiKey";
import { problemOf, RequestFailed } from "./problem";

/** The typed client of every route; adds the key and knows no other origin. */
export const http = createClient<paths>({ baseUrl: globalThis.location.origin, fetch: (request) => fetch(request) });

http.use({
  onRequest({ request }) {
    const key = apiKey();
    if (key !== null) request.headers.set("X-API-Key", key);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) wantApiKey();
  },
});

/** Return the body of an answer, or throw RequestFailed with its problem. */
export function bodyOf<Body>(answer: { data?: Body; error?: unknown; response: Response }): Body {
  if (answer.data === undefined || !answer.response.ok) {
    throw new RequestFailed(problemOf(answer.response.status, answer.error));
  }
  return answer.data;
}
