import type { components } from "@/lib/api";

type Schemas = components["schemas"];

/** Build the health of a plugin. */
export function aPlugin(given: Partial<Schemas["PluginHealth"]> = {}): Schemas["PluginHealth"] {
  return {
    name: "motion-detector",
    version: "0.1.0",
    description: "Finds what moves.",
    state: "INITIALIZED",
    reason: null,
    uptime_seconds: 125,
    last_used: null,
    success_count: 0,
    error_count: 0,
    last_execution_time_ms: null,
    avg_execution_time_ms: null,
    permissions: { read: [], devices: [] },
    policy: null,
    runners: [{ runner_id: "box-1", state: "INITIALIZED", reason: null, policy: "walled" }],
    ...given,
  };
}

/** Build the report about a plugin with one tool. */
export function aReport(health = aPlugin()): Schemas["PluginReport"] {
  return {
    health,
    metadata: {
      name: health.name,
      version: "0.1.0",
      description: health.description,
      author: "ForgeSyte",
      license: "Apache-2.0",
      capabilities: ["motion"],
      latency_budget_ms: 20,
      requires: { gpu: false, packages: [], models: [] },
      limits: {},
      permissions: { read: [], devices: [] },
      isolation: "job",
      stateful: true,
    },
    timings: {
      last_execution_time_ms: health.last_execution_time_ms ?? null,
      avg_execution_time_ms: health.avg_execution_time_ms ?? null,
      latency_budget_ms: 20,
    },
    tools: [
      {
        name: "detect-motion",
        aliases: [],
        title: "Detect motion",
        description: "Moving regions of the frame.",
        inputs: ["video"],
        options_schema: {
          properties: { threshold: { type: "number", default: 5, minimum: 1, maximum: 20, description: "How much." } },
        },
      },
    ],
    runners: health.runners,
    generated_at: "2026-01-01T12:00:00.000Z",
  };
}

/** Build a runner. */
export function aRunner(given: Partial<Schemas["RunnerInfo"]> = {}): Schemas["RunnerInfo"] {
  return {
    runner_id: "box-1",
    state: "alive",
    draining: false,
    silent_s: 0.4,
    host: "box",
    pid: 12,
    version: "0.1.0",
    started_at: "2026-01-01T12:00:00.000Z",
    slots: 2,
    slots_busy: 1,
    jobs: ["01900000-0000-7000-8000-000000000001"],
    plugins: [{ name: "motion-detector", state: "RUNNING" }],
    ...given,
  };
}

/** Build a device of a runner. */
export function aDevice(given: Partial<Schemas["DeviceOnRunner"]> = {}): Schemas["DeviceOnRunner"] {
  return {
    name: "cpu",
    kind: "cpu",
    utilisation_ratio: 0.5,
    memory_used_bytes: 3 * 1024 ** 3,
    memory_total_bytes: 8 * 1024 ** 3,
    runner_id: "box-1",
    host: "box",
    ...given,
  };
}
