import { renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { problemOf, RequestFailed } from "@/lib/problem";

import { type Question, useFailed } from "./useFailed";

const UNREACHED = new TypeError("no route");
const REFUSED = new RequestFailed(problemOf(500, {}));
const refetch = vi.fn(() => Promise.resolve());

const failed = (error: Error): Question => ({ error, errorUpdateCount: 1, isLoading: false, refetch });
const askedAgain = { error: null, errorUpdateCount: 1, isLoading: true, refetch };
const answered = { error: null, errorUpdateCount: 1, isLoading: false, refetch };

test("a server that was not reached stays so while it is asked again, until it answers", () => {
  const { result, rerender } = renderHook((question) => useFailed(question).error, {
    initialProps: failed(UNREACHED),
  });
  expect(result.current).toBe(UNREACHED);

  rerender(askedAgain);
  expect(result.current).toBe(UNREACHED);

  rerender(answered);
  expect(result.current).toBeNull();
});

test("what the server refused is forgotten when it is asked again", () => {
  const { result, rerender } = renderHook((question) => useFailed(question), {
    initialProps: failed(REFUSED),
  });
  result.current.retry();
  expect(refetch).toHaveBeenCalledOnce();

  rerender(askedAgain);
  expect(result.current.error).toBeNull();
});
