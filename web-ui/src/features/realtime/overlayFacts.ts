/** How messages and records become what the parts of the overlay show. */
import type { InspectedPlugin, InspectedWarning } from "@/components/inspector/facts";
import { countText } from "@/lib/format";
import type { ProgressStatus } from "@/lib/wire";

import { texts } from "./texts";
import type { Realtime } from "./useRealtime";
import type { JobFacts } from "./view/jobFacts";
import type { JobView } from "./view/jobView";

/** Where a job runs or ran; nothing is used before it begins. */
export interface DeviceFacts {
  used: string | null;
  fallback: boolean;
  fallbackReason: string | null;
}

/** A job's plugin, from the job's record and from the plugin's report; without a report only name and timings. */
export interface RecordedPlugin {
  name: string;
  version?: string | null;
  capabilities?: readonly string[];
  budgetMs?: number | null;
  health?: InspectedPlugin["health"];
  /** The record's `plugin_timings`: by `plugin.tool`, and the sum under `plugin`. */
  timings: Readonly<Record<string, number>> | null;
}

/** What the overlay needs of the record of an ended job: the page maps its answer into this. */
export interface EndedFacts {
  status: Exclude<ProgressStatus, "running">;
  /** Per cent; null when the job ended before it began. */
  progress: number | null;
  currentFrame: number | null;
  totalFrames: number | null;
  plugin: RecordedPlugin;
  warnings: readonly InspectedWarning[];
  device: DeviceFacts;
  error: { title: string; detail: string } | null;
}

/** What the overlay needs of the record of a job that has not ended. */
export interface LiveRecord extends JobFacts {
  tools: readonly string[];
}

/** What the bar shows. */
export interface BarFacts {
  value: number | null;
  label: string;
  detail?: string;
  color?: string;
}

const COLORS: Partial<Record<ProgressStatus, string>> = { completed: "green", failed: "red", cancelled: "gray" };

/** The bar of a running job; below it stands no frame where the words above tell it.
 *
 * While the socket does not speak, the record is newer than what the socket said last, unless that was the end.
 */
export function liveBar(
  { progress, isConnected }: Pick<Realtime, "progress" | "isConnected">,
  { isFrameTold = false, record }: { isFrameTold?: boolean; record?: JobFacts | undefined } = {},
): BarFacts {
  const isNewest = progress !== null && (isConnected || progress.status !== "running");
  if (!isNewest && record !== undefined && record.status !== "pending") {
    const { status, currentFrame, totalFrames, percent } = record;
    const parts = currentFrame === null || isFrameTold ? [] : [frameText(currentFrame, totalFrames)];
    return barOf(status, totalFrames === null && status === "running" ? null : percent, parts);
  }
  if (progress === null) return { value: null, label: texts.progress.waiting };
  const { status, current_frame, total_frames, current_tool, stage, fps } = progress;
  const parts = [
    current_frame === null || isFrameTold ? null : frameText(current_frame, total_frames),
    status === "running" && isConnected && fps ? texts.progress.speed(fps.toFixed(1)) : null,
    current_tool,
    stage ?? null,
  ].filter((part) => part !== null);
  return barOf(status, total_frames === null && status === "running" ? null : progress.progress, parts);
}

/** The bar of an ended job. After a crash the record's `progress` may be beyond the frame at which a later try ended. */
export function endedBar({ status, progress, currentFrame, totalFrames }: EndedFacts): BarFacts {
  const parts = currentFrame === null ? [] : [frameText(currentFrame, totalFrames)];
  const isPart = status !== "completed" && currentFrame !== null && totalFrames !== null && totalFrames > 0;
  return barOf(status, isPart ? (100 * currentFrame) / totalFrames : (progress ?? 0), parts);
}

/** Each plugin that has begun, in that order: as the socket says, and while it is silent as the record does. */
export function livePlugins(view: JobView, recorded?: RecordedPlugin, record?: JobFacts): InspectedPlugin[] {
  if (Object.keys(view.pluginStatus).length === 0 && recorded !== undefined && record?.status === "running") {
    return [fromRecord(recorded, "running")];
  }
  return Object.values(view.pluginStatus).map((status) => {
    const metadata = view.pluginMetadata[status.plugin];
    const known = recorded?.name === status.plugin ? recorded : undefined;
    const tools = known === undefined ? [] : stepsOf(known);
    const totalMs = view.pluginTimings[status.plugin] ?? null;
    return {
      name: status.plugin,
      status: status.status,
      version: metadata?.version ?? known?.version,
      model: metadata?.model,
      outputFormat: metadata?.output_format,
      inputShape: metadata?.input_shape,
      capabilities: metadata?.capabilities ?? known?.capabilities,
      budgetMs: metadata?.latency_budget_ms ?? known?.budgetMs,
      health: known?.health,
      // The socket's timings are sums over the tools: the only tool has its name, several go by their plugin's.
      steps: tools.length > 1 || totalMs === null ? tools : [{ name: onlyTool(view) ?? status.plugin, ms: totalMs }],
      totalMs,
      framesProcessed: status.frames_processed,
      device: status.device_used,
    };
  });
}

/** The plugin of an ended job, with its tools in the order in which they ran; frames and device stand beside it. */
export function endedPlugins({ status, plugin }: EndedFacts): InspectedPlugin[] {
  return [fromRecord(plugin, status)];
}

function fromRecord(plugin: RecordedPlugin, status: InspectedPlugin["status"]): InspectedPlugin {
  const { timings, ...known } = plugin;
  return { ...known, status, steps: stepsOf(plugin), totalMs: timings?.[plugin.name] ?? null };
}

function stepsOf({ name, timings }: RecordedPlugin): InspectedPlugin["steps"] {
  const prefix = `${name}.`;
  return Object.entries(timings ?? {})
    .filter(([timed]) => timed.startsWith(prefix))
    .map(([timed, ms]) => ({ name: timed.slice(prefix.length), ms }));
}

export function liveWarnings(view: JobView): InspectedWarning[] {
  return view.warnings.map(({ index, message, severity, frame_index }) => ({
    index,
    text: message,
    severity,
    frameIndex: frame_index,
  }));
}

/** The job's tool where it has exactly one, as its record or else the socket says; null where it is not known. */
export function onlyTool({ progress }: Pick<JobView, "progress">, tools: readonly string[] = []): string | null {
  const [first, ...more] = tools;
  if (first !== undefined) return more.length === 0 ? first : null;
  return progress?.tools_total === 1 ? progress.current_tool : null;
}

function frameText(current: number, total: number | null): string {
  return texts.progress.frame(countText(current), total === null ? null : countText(total));
}

function barOf(status: ProgressStatus, value: number | null, parts: string[]): BarFacts {
  const color = COLORS[status];
  return {
    value,
    label: texts.progress.labels[status],
    ...(parts.length === 0 ? {} : { detail: parts.join(" · ") }),
    ...(color === undefined ? {} : { color }),
  };
}
