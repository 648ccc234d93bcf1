import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { RealtimeClient } from "@/features/realtime/RealtimeClient";
import { RealtimeProvider } from "@/features/realtime/RealtimeContext";
import { useRealtime } from "@/features/realtime/useRealtime";

import {
  failure,
  frame,
  JOB,
  metadata,
  OTHER_JOB,
  partialResult,
  ping,
  pluginStatus,
  pong,
  progress,
  warning,
} from "../support/messages";
import { FakeSocket, fakeSockets } from "../support/sockets";

let client: RealtimeClient;
let jobId: string | null;

beforeEach(() => {
  client = new RealtimeClient({ openSocket: fakeSockets(), nowMs: () => 7 });
  jobId = JOB;
});

function Provided({ children }: { children: ReactNode }) {
  return (
    <RealtimeProvider client={client} jobId={jobId}>
      {children}
    </RealtimeProvider>
  );
}

function watchWith(...messages: unknown[]) {
  const hook = renderHook(() => useRealtime(), { wrapper: Provided });
  act(() => {
    FakeSocket.last.accept();
    for (const message of messages) FakeSocket.last.say(message);
  });
  return hook;
}

test("useRealtime outside a provider throws", () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);

  expect(() => renderHook(() => useRealtime())).toThrow("RealtimeProvider");
});

test("a provider watches its job, and an open socket is connected", () => {
  const { result } = watchWith();

  expect(FakeSocket.last.address).toContain(`job_id=${JOB}`);
  expect(result.current).toMatchObject({ isConnected: true, connectionState: "CONNECTED" });
});

test("without a job nothing is opened", () => {
  jobId = null;

  const { result } = renderHook(() => useRealtime(), { wrapper: Provided });

  expect(FakeSocket.opened).toHaveLength(0);
  expect(result.current).toMatchObject({ isConnected: false, connectionState: "IDLE" });
});

test("another job begins with nothing known, on a socket of its own", () => {
  const { result, rerender } = watchWith(progress(50, {}, 3), warning(0), failure(), metadata());
  const first = FakeSocket.last;

  jobId = OTHER_JOB;
  rerender();

  expect(first.isClosed).toBe(true);
  expect(FakeSocket.last.address).toMatch(new RegExp(`job_id=${OTHER_JOB}$`));
  expect(result.current).toMatchObject({ progress: null, warnings: [], errors: [], pluginMetadata: {} });
});

test("the socket is closed when the provider goes", () => {
  const { unmount } = watchWith();

  unmount();

  expect(FakeSocket.last.isClosed).toBe(true);
});

describe("each of the nine types changes what is known", () => {
  test("metadata: pluginMetadata", () => {
    const { result } = watchWith(metadata(), metadata("second"));

    expect(Object.keys(result.current.pluginMetadata)).toEqual(["motion-detector", "second"]);
    expect(result.current.pluginMetadata["motion-detector"]).toMatchObject({ version: "0.1.0", latency_budget_ms: 20 });
  });

  test("progress: progress, and with the ending the connection", () => {
    const { result } = watchWith(progress(20));
    expect(result.current.progress).toMatchObject({ progress: 20, status: "running" });

    act(() => FakeSocket.last.say(progress(100, { status: "completed" })));

    expect(result.current.progress).toMatchObject({ progress: 100, status: "completed" });
    expect(result.current).toMatchObject({ isConnected: false, closeReason: { kind: "ended" } });
  });

  test("plugin_status: pluginStatus and pluginTimings, which a status without a timing keeps", () => {
    const { result } = watchWith(pluginStatus("running"), pluginStatus("degraded", { timing_ms: null }));

    expect(result.current.pluginStatus["motion-detector"]).toMatchObject({ status: "degraded" });
    expect(result.current.pluginTimings).toEqual({ "motion-detector": 3.3 });
  });

  test("frame: currentFrame, of which the newest wins", () => {
    const { result } = watchWith(frame(3), frame(8));

    expect(result.current.currentFrame).toMatchObject({ frame_index: 8 });
  });

  test("partial_result: partialResult", () => {
    const { result } = watchWith(partialResult([{ frame_index: 58 }]));

    expect(result.current.partialResult).toEqual({ rows: [{ frame_index: 58 }] });
  });

  test("warning: warnings, each index once and in order, and how many were not sent", () => {
    const { result } = watchWith(warning(61), warning(60, "the first", { earlier: 60 }), warning(60), warning(61));

    expect(result.current.warnings.map((one) => one.message)).toEqual(["the first", "warning 61"]);
    expect(result.current.earlierWarnings).toBe(60);
  });

  test("error: errors, each once", () => {
    const { result } = watchWith(failure("no luck"), failure("no luck"), failure("worse luck"));

    expect(result.current.errors.map((error) => error.details.message)).toEqual(["no luck", "worse luck"]);
  });

  test("ping: the heartbeat", () => {
    const { result } = watchWith(ping());

    expect(result.current).toMatchObject({ pingIntervalS: 30, heardAtMs: 7, isConnected: true });
  });

  test("pong: the heartbeat, after a ping of ours", () => {
    const { result } = watchWith();
    client.ping();
    expect(FakeSocket.last.sent).toEqual([{ type: "ping" }]);

    act(() => FakeSocket.last.say(pong()));

    expect(result.current).toMatchObject({ pongAt: "2026-11-20T15:12:18.470Z", heardAtMs: 7 });
  });
});
