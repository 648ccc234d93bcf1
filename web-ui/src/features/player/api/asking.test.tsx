import { QueryClient, QueryClientProvider, type UseQueryResult } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";

import { asProblem } from "@/lib/problem";

import { holdClock, pass } from "../../../../tests/support/clock";
import { fakeNetwork, server } from "../../../../tests/support/server";
import { useFrameTable } from "./frames";
import { usePlayable } from "./playable";

fakeNetwork();

afterEach(() => {
  vi.useRealTimers();
});

const COPY_FAILED = { title: "The copy could not be made", status: 500 };

/** Ask a question on a page whose other questions are asked again and again; counts how often it reaches the network. */
function ask(path: string, question: () => UseQueryResult<unknown, unknown>, answer: () => Response) {
  const asked = vi.fn(answer);
  server.use(http.get(`*/v1/jobs/j1/${path}`, asked));
  const client = new QueryClient({ defaultOptions: { queries: { retry: true } } });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return { asked, ...renderHook(question, { wrapper }) };
}

test.each([
  ["playable", () => usePlayable("j1")],
  ["frames", () => useFrameTable("j1", "playable", true)],
])("what the server says of %s is told at once, and not asked again", async (path, question) => {
  const { asked, result } = ask(path, question, () => HttpResponse.json(COPY_FAILED, { status: 500 }));

  await waitFor(() => expect(asProblem(result.current.error).title).toBe("The copy could not be made"));

  expect(result.current.fetchStatus).toBe("idle");
  expect(asked).toHaveBeenCalledOnce();
});

test.each([
  ["playable", () => usePlayable("j1")],
  ["frames", () => useFrameTable("j1", "playable", true)],
])("a server that is not reached is asked for %s every five seconds until it answers", async (path, question) => {
  holdClock();
  const { asked, result } = ask(path, question, () => HttpResponse.error());

  for (const failed of [1, 2, 3, 4, 5]) {
    await waitFor(() => expect(result.current.errorUpdateCount).toBe(failed));
    expect(asProblem(result.current.error).status).toBe(0);
    await pass(5_000);
  }

  asked.mockImplementation(() => HttpResponse.json(COPY_FAILED, { status: 500 }));
  await pass(5_000);
  await waitFor(() => expect(asProblem(result.current.error).title).toBe("The copy could not be made"));
});
