import { describe, expect, test } from "vitest";

import type { ProgressPayload } from "@/lib/wire";

import { progress as progressMessage } from "../../../tests/support/messages";
import { endedBar, livePlugins, liveBar, onlyTool } from "./overlayFacts";
import type { JobFacts } from "./view/jobFacts";
import { EMPTY_VIEW } from "./view/jobView";

const status = {
  job_id: "1",
  plugin: "probe",
  status: "running",
  timing_ms: 9,
  frames_processed: 3,
  warnings_count: 0,
  device_used: "cpu",
} as const;
const view = { ...EMPTY_VIEW, pluginStatus: { probe: status }, pluginTimings: { probe: 9 } };

test("the steps of several tools come from the record, while the socket tells only their sum", () => {
  const timings = { "probe.find": 4, "probe.track": 5, probe: 9 };
  expect(livePlugins(view, { name: "probe", timings })[0]?.steps).toEqual([
    { name: "find", ms: 4 },
    { name: "track", ms: 5 },
  ]);
  expect(livePlugins(view)[0]?.steps).toEqual([{ name: "probe", ms: 9 }]);
});

test("what the socket does not say of a plugin comes from its report", () => {
  const health = { state: "RUNNING", reason: null };
  const [plugin] = livePlugins(view, { name: "probe", timings: null, version: "2.0", budgetMs: 20, health });
  expect(plugin).toMatchObject({ version: "2.0", budgetMs: 20, health, totalMs: 9 });
});

test("while the socket is silent, the plugin of a running job is the record's", () => {
  const plugin = { name: "probe", timings: { "probe.find": 4, probe: 4 } };
  const record = { status: "running", percent: 1, currentFrame: 1, totalFrames: 9 } as JobFacts;

  expect(livePlugins(EMPTY_VIEW, plugin, record)).toMatchObject([
    { name: "probe", status: "running", totalMs: 4, steps: [{ name: "find", ms: 4 }] },
  ]);
  expect(livePlugins(EMPTY_VIEW, plugin, { ...record, status: "pending" })).toEqual([]);
});

describe("the bar of a running job", () => {
  const progress = progressMessage(4, { fps: 42.25, total_frames: 10_000 }).payload as ProgressPayload;
  const record: JobFacts = {
    status: "running",
    percent: 12,
    currentFrame: 1200,
    totalFrames: 10_000,
    toolsTotal: 1,
    toolsCompleted: 0,
    error: null,
  };

  test("shows what the socket says while it is open", () => {
    const bar = liveBar({ progress, isConnected: true }, { record });
    expect(bar).toMatchObject({ value: 4, detail: "Frame 4 of 10,000 · 42.3 frames/s · detect-motion" });
  });

  test.each([
    ["the socket is down", progress, false],
    ["the socket never opened", null, false],
    ["the socket has not told of progress", null, true],
  ])("shows the record while %s", (_, said, isConnected) => {
    const bar = liveBar({ progress: said, isConnected }, { record });
    expect(bar).toEqual({ value: 12, label: "Analyzing", detail: "Frame 1,200 of 10,000" });
  });

  test("has no share while the record does not know how many frames there are, and no frame that is told above", () => {
    const bar = liveBar(
      { progress: null, isConnected: false },
      { isFrameTold: true, record: { ...record, totalFrames: null } },
    );
    expect(bar).toEqual({ value: null, label: "Analyzing" });
  });

  test("waits while neither has begun, and keeps an end that the socket told", () => {
    const pending: JobFacts = { ...record, status: "pending", percent: null, currentFrame: null };
    expect(liveBar({ progress: null, isConnected: false }, { record: pending }).label).toBe(
      "Waiting for the job to begin",
    );
    const ended: ProgressPayload = { ...progress, status: "cancelled" };
    expect(liveBar({ progress: ended, isConnected: false }, { record })).toMatchObject({
      label: "Cancelled",
      value: 4,
    });
  });

  test("has no speed while the socket is down", () => {
    expect(liveBar({ progress, isConnected: false }).detail).toBe("Frame 4 of 10,000 · detect-motion");
  });
});

test.each([
  ["failed", 1115, 10_000, 11.15],
  ["failed", 1115, null, 13],
  ["cancelled", null, 10_000, 13],
  ["completed", 9_999, 10_000, 13],
] as const)("the bar of a %s job at frame %s of %s", (ended, currentFrame, totalFrames, value) => {
  const facts = { status: ended, progress: 13, currentFrame, totalFrames };
  const rest = { plugin: { name: "probe", timings: null }, warnings: [], error: null };
  const device = { used: null, fallback: false, fallbackReason: null };
  expect(endedBar({ ...facts, ...rest, device }).value).toBeCloseTo(value);
});

test.each([
  [["find"], 2, "find"],
  [["find", "track"], 1, null],
  [undefined, 1, "detect-motion"],
  [undefined, 2, null],
])("the only tool of a job with the tools %s in its record and %i on the socket", (tools, total, tool) => {
  const progress = progressMessage(4, { tools_total: total }).payload as ProgressPayload;
  expect(onlyTool({ progress }, tools)).toBe(tool);
  expect(onlyTool({ progress: null }, tools)).toBe(tools === undefined ? null : tool);
});
