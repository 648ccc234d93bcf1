/** Clients whose server is a script, one for each state that the overlay is designed for. */
import type { Socket } from "@/features/realtime/connection/sockets";
import type { EndedFacts } from "@/features/realtime/overlayFacts";
import { RealtimeClient } from "@/features/realtime/RealtimeClient";
import type { Surroundings } from "@/features/realtime/RealtimeClient";
import type { PluginStatus, ProgressStatus } from "@/lib/wire";

import { paintedPicture } from "./paintedPicture";

export type Scene = "empty" | "loading" | "live" | "stale" | "failed" | "closed";

const JOB = "story";
const PLUGIN = "motion-detector";

type Script = (socket: Socket) => void;

const SCRIPTS: Record<Scene, Script> = {
  loading: () => undefined,
  empty: (socket) => {
    accept(socket);
    tell(socket, "metadata", METADATA);
  },
  live: (socket) => playRun(socket, 41),
  stale: (socket) => {
    playRun(socket, 63);
    window.setTimeout(() => socket.onclose?.(new CloseEvent("close", { code: 1006 })), 400);
  },
  failed: (socket) => {
    playRun(socket, 17);
    tell(socket, "error", {
      job_id: JOB,
      error: "The plugin raised an error",
      plugin: PLUGIN,
      details: {
        error_code: "PLUGIN_ERROR",
        message: "The plugin raised RuntimeError at frame 64. Fix the plugin or its options and submit again.",
      },
    });
    tellStatus(socket, frameOf(17), "failed");
    tellProgress(socket, 17, "failed");
  },
  closed: (socket) => {
    playRun(socket, 25);
    window.setTimeout(() => socket.onclose?.(new CloseEvent("close", { code: 1008 })), 400);
  },
};

const METADATA = {
  plugin: PLUGIN,
  metadata: {
    version: "0.1.0",
    output_format: "TrackedObjects",
    capabilities: ["motion", "regions", "tracking"],
    latency_budget_ms: 20,
  },
};

/** Make a client that connects to a script. A stale one finds no server again. */
export function scriptedClient(scene: Scene): RealtimeClient {
  let sockets = 0;
  const openSocket: Surroundings["openSocket"] = () => {
    const socket: Socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: () => undefined,
      close: () => undefined,
    };
    sockets += 1;
    if (sockets === 1 || scene !== "stale") queueMicrotask(() => SCRIPTS[scene](socket));
    return socket;
  };
  return new RealtimeClient({ openSocket });
}

function accept(socket: Socket): void {
  socket.onopen?.(new Event("open"));
}

function tell(socket: Socket, type: string, payload: object): void {
  const data = JSON.stringify({ type, payload, timestamp: new Date().toISOString() });
  socket.onmessage?.(new MessageEvent("message", { data }));
}

function playRun(socket: Socket, percent: number): void {
  const frameIndex = frameOf(percent);
  accept(socket);
  tell(socket, "metadata", METADATA);
  tellStatus(socket, frameIndex, "running");
  for (const [index, [message, severity, frame]] of WARNINGS.entries()) {
    tell(socket, "warning", { job_id: JOB, index, plugin: PLUGIN, message, severity, frame_index: frame });
  }
  tellProgress(socket, percent, "running");
  tell(socket, "frame", {
    job_id: JOB,
    frame_id: `${JOB}-${frameIndex}`,
    frame_index: frameIndex,
    plugin: PLUGIN,
    data: paintedPicture(),
    device_used: "cpu",
    timing_ms: 7.1,
  });
}

function tellStatus(socket: Socket, frames: number, status: PluginStatus): void {
  tell(socket, "plugin_status", {
    job_id: JOB,
    plugin: PLUGIN,
    status,
    timing_ms: 7.1,
    frames_processed: frames,
    warnings_count: 3,
    device_used: "cpu",
  });
}

function frameOf(percent: number): number {
  return Math.round(3.77 * percent);
}

function tellProgress(socket: Socket, percent: number, status: ProgressStatus): void {
  tell(socket, "progress", {
    job_id: JOB,
    status,
    progress: percent,
    current_frame: frameOf(percent),
    total_frames: 377,
    current_tool: "track-objects",
    tools_total: 1,
    tools_completed: 0,
    stage: "processing",
    fps: 42.3,
  });
}

const WARNINGS: [string, string, number | null][] = [
  ["1 of 159 frames could not be decoded and was left out", "high", 41],
  ["the container announced about 378 frames, 377 are there", "medium", null],
  ["the colour tags are missing: bt601 was assumed for 768 x 432", "low", null],
];

export const ENDED: EndedFacts = {
  status: "completed",
  progress: 100,
  currentFrame: 377,
  totalFrames: 377,
  plugin: {
    name: PLUGIN,
    version: "0.1.0",
    capabilities: ["motion", "regions", "tracking"],
    budgetMs: 20,
    timings: { "motion-detector.detect-motion": 3.4, "motion-detector.track-objects": 7.1, "motion-detector": 10.5 },
  },
  warnings: WARNINGS.map(([text, severity, frameIndex], index) => ({ index, text, severity, frameIndex })),
  device: { used: "cpu", fallback: true, fallbackReason: "the plugin prefers a GPU, and no GPU was free" },
  error: null,
};
