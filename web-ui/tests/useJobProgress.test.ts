import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { useJobProgress } from "@/features/realtime/useJobProgress";

import { JOB, OTHER_JOB } from "./support/messages";
import { FakeSocket, fakeSockets } from "./support/sockets";

beforeEach(() => {
  vi.useFakeTimers();
  fakeSockets();
  vi.stubGlobal("WebSocket", FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
});

const half = {
  job_id: JOB,
  current_frame: 50,
  total_frames: 100,
  percent: 50,
  current_tool: "detect-motion",
  tools_total: 1,
  tools_completed: 0,
};

function follow() {
  const initialProps: { jobId: string | null } = { jobId: JOB };
  const hook = renderHook(({ jobId }) => useJobProgress(jobId), { initialProps });
  act(() => FakeSocket.last.accept());
  return hook;
}

const pass = (ms: number) =>
  act(() => {
    vi.advanceTimersByTime(ms);
  });
const say = (event: unknown) => act(() => FakeSocket.last.say(event));

test("at first nothing is known: null and pending; a job that is taken away leads back there", () => {
  const { result, rerender } = follow();
  expect(result.current).toEqual({ progress: null, status: "pending", error: null, isConnected: true });
  say(half);

  rerender({ jobId: null });

  expect(result.current).toEqual({ progress: null, status: "pending", error: null, isConnected: false });
  expect(FakeSocket.last.isClosed).toBe(true);
  expect(FakeSocket.opened).toHaveLength(1);
});

test("progress means running", () => {
  const { result } = follow();

  say(half);

  expect(result.current).toEqual({ progress: half, status: "running", error: null, isConnected: true });
});

test("completed closes the socket for good", () => {
  const { result } = follow();

  say({ status: "completed", job_id: JOB });
  vi.advanceTimersByTime(60_000);

  expect(result.current).toMatchObject({ status: "completed", error: null, isConnected: false });
  expect(FakeSocket.opened).toHaveLength(1);
});

test("an error means failed, with its message; a cancelled job is cancelled", () => {
  const { result, rerender } = follow();
  say({ status: "error", job_id: JOB, message: "no luck at 17" });
  expect(result.current).toMatchObject({ status: "failed", error: "no luck at 17" });

  rerender({ jobId: OTHER_JOB });
  say({ status: "cancelled", job_id: OTHER_JOB });

  expect(result.current).toMatchObject({ status: "cancelled", error: null });
});

test("events of other jobs, pongs and texts that are no event are ignored", () => {
  const { result } = follow();

  for (const event of [{ ...half, job_id: OTHER_JOB }, { type: "pong" }, "{", "null", { job_id: JOB, status: "odd" }]) {
    say(event);
  }

  expect(result.current).toMatchObject({ progress: null, status: "pending" });
});

test("a broken socket comes back after 2 s, is pinged every 30 s, and is closed on unmount", () => {
  const { result, unmount } = follow();
  act(() => FakeSocket.last.end());
  expect(result.current.isConnected).toBe(false);
  vi.advanceTimersByTime(1999);
  expect(FakeSocket.opened).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(FakeSocket.opened).toHaveLength(2);
  act(() => FakeSocket.last.accept());

  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.last.sent).toEqual([{ type: "ping" }, { type: "ping" }]);

  unmount();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.last.isClosed).toBe(true);
  expect(FakeSocket.last.sent).toHaveLength(2);
  expect(FakeSocket.opened).toHaveLength(2);
});

test("a socket on which nothing follows two pings is dropped, and another is opened", () => {
  const { result } = follow();
  const silent = FakeSocket.last;
  pass(60_000);
  act(() => silent.say({ type: "pong" }));
  pass(60_000);
  expect(result.current.isConnected).toBe(true);
  pass(30_000);
  expect(silent.isClosed).toBe(true);
  expect(result.current.isConnected).toBe(false);
  pass(2_000);
  expect(FakeSocket.opened).toHaveLength(2);
});
