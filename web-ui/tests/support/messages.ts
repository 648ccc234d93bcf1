/** One message of each type, as a server sends them; a test changes what it is about. */
import type { FrameData, PluginStatus, ProgressStatus } from "@/lib/wire";

export const JOB = "01a1f983-f5fb-72a6-b712-116f949fe7cb";
export const OTHER_JOB = "01a1f984-05c7-742b-a009-e4725ee9a923";
const AT = "2026-11-20T15:12:18.470Z";
/** A JPEG of one grey pixel would do; no test decodes it. */
const PICTURE = "data:image/jpeg;base64,/9j/4AAQSkZJRg==";

const message = (type: string, payload: object, seq?: number) => ({
  type,
  payload,
  timestamp: AT,
  ...(seq === undefined ? {} : { seq }),
});

export const metadata = (plugin = "motion-detector", more: object = {}) =>
  message("metadata", {
    plugin,
    metadata: {
      version: "0.1.0",
      model: null,
      input_shape: null,
      output_format: "Regions",
      confidence_default: null,
      capabilities: ["motion", "regions"],
      latency_budget_ms: 20,
      ...more,
    },
  });

export const progress = (
  percent: number,
  more: { status?: ProgressStatus; [name: string]: unknown } = {},
  seq?: number,
) =>
  message(
    "progress",
    {
      job_id: JOB,
      status: "running",
      progress: percent,
      current_frame: percent,
      total_frames: 100,
      current_tool: "detect-motion",
      tools_total: 1,
      tools_completed: 0,
      ...more,
    },
    seq,
  );

export const pluginStatus = (status: PluginStatus = "running", more: object = {}) =>
  message("plugin_status", {
    job_id: JOB,
    plugin: "motion-detector",
    status,
    timing_ms: 3.3,
    frames_processed: 132,
    warnings_count: 0,
    device_used: "cpu",
    ...more,
  });

export const frame = (frameIndex: number, data: Partial<FrameData> = {}, more: object = {}) =>
  message("frame", {
    job_id: JOB,
    frame_id: `${JOB}-${frameIndex}`,
    frame_index: frameIndex,
    plugin: "motion-detector",
    data: {
      boxes: [{ x: 100, y: 50, width: 80, height: 40, confidence: 0.9, class: "car", track_id: 1 }],
      width: 640,
      height: 360,
      image: PICTURE,
      ...data,
    },
    device_used: "cpu",
    timing_ms: 3.3,
    ...more,
  });

export const partialResult = (rows: object[]) =>
  message("partial_result", { job_id: JOB, plugin: "motion-detector", result: { rows }, partial: true });

export const warning = (index: number, text = `warning ${index}`, more: object = {}) =>
  message(
    "warning",
    { job_id: JOB, index, plugin: "motion-detector", message: text, severity: "medium", ...more },
    index,
  );

export const failure = (text = "The plugin 'probe' raised RuntimeError at frame 17.", more: object = {}) =>
  message("error", {
    job_id: JOB,
    error: "The plugin raised an error",
    plugin: "probe",
    details: { error_code: "PLUGIN_ERROR", message: text, frame_index: 17 },
    ...more,
  });

export const ping = () => message("ping", { interval_seconds: 30 });
export const pong = () => message("pong", { timestamp: AT });
