import { expect, test } from "vitest";

import { livePlugins } from "./overlayFacts";
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
