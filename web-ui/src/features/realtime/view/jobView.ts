/** What is known of the watched job, as one immutable value; each message gives the next one. */
import type {
  ErrorPayload,
  FramePayload,
  PartialRows,
  PluginMetadata,
  PluginStatusPayload,
  ProgressPayload,
  WarningPayload,
} from "@/lib/wire";

import type { ServerMessage } from "../connection/messages";

export interface JobView {
  progress: ProgressPayload | null;
  currentFrame: FramePayload | null;
  partialResult: PartialRows | null;
  /** Milliseconds of the newest frame, by plugin, in the order in which the plugins began. */
  pluginTimings: Readonly<Record<string, number>>;
  pluginMetadata: Readonly<Record<string, PluginMetadata>>;
  pluginStatus: Readonly<Record<string, PluginStatusPayload>>;
  /** By their index, each once. */
  warnings: readonly WarningPayload[];
  /** How many warnings before the newest are not here, because the server sends at most the newest 50. */
  earlierWarnings: number;
  errors: readonly ErrorPayload[];
  /** From the last ping. */
  pingIntervalS: number | null;
  /** The server's time in its last pong. */
  pongAt: string | null;
}

export const EMPTY_VIEW: JobView = {
  progress: null,
  currentFrame: null,
  partialResult: null,
  pluginTimings: {},
  pluginMetadata: {},
  pluginStatus: {},
  warnings: [],
  earlierWarnings: 0,
  errors: [],
  pingIntervalS: null,
  pongAt: null,
};

/** Return the view after a message; the same view where nothing changed. */
export function viewAfter(view: JobView, message: ServerMessage): JobView {
  switch (message.type) {
    case "metadata":
      return {
        ...view,
        pluginMetadata: { ...view.pluginMetadata, [message.payload.plugin]: message.payload.metadata },
      };
    case "progress":
      return { ...view, progress: message.payload };
    case "plugin_status":
      return withStatus(view, message.payload);
    case "frame":
      return { ...view, currentFrame: message.payload };
    case "partial_result":
      return { ...view, partialResult: message.payload.result };
    case "warning":
      return withWarning(view, message.payload);
    case "error":
      return withError(view, message.payload);
    case "ping":
      return { ...view, pingIntervalS: message.payload.interval_seconds };
    case "pong":
      return { ...view, pongAt: message.payload.timestamp };
    default:
      return message satisfies never;
  }
}

/** Whether a message is about another job than the one that is watched. */
export function isOfAnotherJob(message: ServerMessage, jobId: string | null): boolean {
  const about = "job_id" in message.payload ? message.payload.job_id : null;
  return about !== null && about !== undefined && about !== jobId;
}

function withStatus(view: JobView, status: PluginStatusPayload): JobView {
  const { plugin, timing_ms } = status;
  return {
    ...view,
    pluginStatus: { ...view.pluginStatus, [plugin]: status },
    pluginTimings: timing_ms === null ? view.pluginTimings : { ...view.pluginTimings, [plugin]: timing_ms },
  };
}

function withWarning(view: JobView, warning: WarningPayload): JobView {
  if (view.warnings.some((known) => known.index === warning.index)) return view;
  const before = view.warnings.findIndex((known) => known.index > warning.index);
  const place = before === -1 ? view.warnings.length : before;
  const warnings = view.warnings.toSpliced(place, 0, warning);
  const newest = warnings.at(-1)?.index ?? warning.index;
  return { ...view, warnings, earlierWarnings: newest + 1 - warnings.length };
}

/** A reconnect repeats the ending's error. */
function withError(view: JobView, error: ErrorPayload): JobView {
  const isKnown = view.errors.some(
    (known) => known.job_id === error.job_id && known.details.message === error.details.message,
  );
  return isKnown ? view : { ...view, errors: [...view.errors, error] };
}
