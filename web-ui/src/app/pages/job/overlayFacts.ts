import type { PluginReport } from "@/features/player/api/plugin";
import type { JobFacts } from "@/features/player/api/record";
import type { DeviceFacts, EndedFacts, LiveRecord, RecordedPlugin } from "@/features/realtime/overlayFacts";

/** Return what the overlay shows of a job that has ended; null while it has not. Its failure has a panel of its own. */
export function endedFactsOf(job: JobFacts, report?: PluginReport): EndedFacts | null {
  if (job.status === "pending" || job.status === "running") return null;
  return {
    status: job.status,
    progress: job.progress ?? null,
    currentFrame: job.current_frame ?? null,
    totalFrames: job.total_frames ?? null,
    plugin: recordedPluginOf(job, report),
    warnings: (job.warning_entries ?? []).map(({ index, text, severity, frame_index }) => ({
      index,
      text,
      severity,
      frameIndex: frame_index,
    })),
    device: deviceOf(job),
    error: null,
  };
}

/** Return the tools of a job and how far it is. */
export function statusOf(job: JobFacts): LiveRecord {
  return {
    status: job.status,
    percent: job.progress ?? null,
    currentFrame: job.current_frame ?? null,
    totalFrames: job.total_frames ?? null,
    tools: job.tools,
    toolsTotal: job.tools_total,
    toolsCompleted: job.tools_completed,
    error: job.error_message ?? null,
  };
}

/** Return where a job runs or ran. */
export function deviceOf(job: JobFacts): DeviceFacts {
  return {
    used: job.device_used ?? null,
    fallback: job.fallback,
    fallbackReason: job.fallback_reason ?? null,
  };
}

/** Return the job's plugin, with what the plugin's report says where there is one. */
export function recordedPluginOf(job: JobFacts, report?: PluginReport): RecordedPlugin {
  const recorded = { name: job.plugin_id, timings: job.plugin_timings ?? null };
  if (report === undefined) return recorded;
  const { metadata, health } = report;
  return {
    ...recorded,
    version: metadata.version,
    capabilities: metadata.capabilities,
    budgetMs: metadata.latency_budget_ms ?? null,
    health: { state: health.state, reason: health.reason },
  };
}
