import type { components } from "@/lib/api";
import { apiKey, wantApiKey } from "@/lib/apiKey";
import { asProblem, problemOf, RequestFailed } from "@/lib/problem";

/** Ask a service for something that is no JSON, or that may not be ready; throws RequestFailed where it refuses. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const key = apiKey();
  if (key !== null) headers.set("X-API-Key", key);
  const answer = await fetch(new URL(path, globalThis.location.origin), { ...init, headers });
  if (answer.ok) return answer;
  if (answer.status === 401) wantApiKey();
  const body: unknown = await answer.json().catch(() => null);
  throw new RequestFailed(problemOf(answer.status, body));
}

/** Something that a service makes on demand: it is being made, or it is there. */
export type Made<Thing> = { state: "making"; progress: number | null } | { state: "ready"; thing: Thing };

/** Read an answer that is 202 while the thing is being made. */
export async function madeOf<Thing>(
  answer: Response,
  read: (answer: Response) => Promise<Thing>,
): Promise<Made<Thing>> {
  if (answer.status !== 202) return { state: "ready", thing: await read(answer) };
  const body = (await answer.json()) as components["schemas"]["Making"];
  return { state: "making", progress: body.progress ?? null };
}

/** How long to wait before the thing is asked for again; false when it is there. */
export function untilMade(made: Made<unknown> | undefined): number | false {
  return made?.state === "making" ? 1_000 : false;
}

const UNREACHED_MS = 5_000;

/** How long to wait before media are asked for again: what a service answered stands, what did not reach one does not. */
export function untilReached({ data, error }: { data: Made<unknown> | undefined; error: unknown }): number | false {
  return error !== null && asProblem(error).status === 0 ? UNREACHED_MS : untilMade(data);
}
