/** The border of the socket: every text is read here, and only what has the promised shape goes further. */
import type {
  ErrorPayload,
  FramePayload,
  MessageType,
  MetadataPayload,
  PartialResultPayload,
  PingPayload,
  PluginStatusPayload,
  PongPayload,
  ProgressPayload,
  WarningPayload,
} from "@/lib/wire";

interface Payloads {
  metadata: MetadataPayload;
  progress: ProgressPayload;
  plugin_status: PluginStatusPayload;
  frame: FramePayload;
  partial_result: PartialResultPayload;
  warning: WarningPayload;
  error: ErrorPayload;
  ping: PingPayload;
  pong: PongPayload;
}

/** A message of the server: a union on `type`. */
export type ServerMessage = {
  [T in MessageType]: { type: T; payload: Payloads[T]; timestamp: string; seq?: number | null };
}[MessageType];

export type Read = { kind: "message"; message: ServerMessage } | { kind: "unknown" } | { kind: "malformed" };

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isNumberOrNull: Check = (value) => value === null || isNumber(value);
const isTextOrNull: Check = (value) => value === null || isText(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isOneOf = (...words: string[]): Check => {
  return (value) => typeof value === "string" && words.includes(value);
};
const isListOf = (check: Check): Check => {
  return (value) => Array.isArray(value) && value.every(check);
};
const hasFields = (fields: Record<string, Check>): Check => {
  return (value) => isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));
};

const isBox = hasFields({ x: isNumber, y: isNumber, width: isNumber, height: isNumber });

const CHECKS: Record<MessageType, Check> = {
  metadata: hasFields({ plugin: isText, metadata: hasFields({ version: isText }) }),
  progress: hasFields({
    job_id: isText,
    status: isOneOf("running", "completed", "failed", "cancelled"),
    progress: isNumberOrNull,
    current_frame: isNumberOrNull,
    total_frames: isNumberOrNull,
    current_tool: isTextOrNull,
    tools_total: isNumber,
    tools_completed: isNumber,
  }),
  plugin_status: hasFields({
    job_id: isText,
    plugin: isText,
    status: isOneOf("started", "running", "degraded", "completed", "failed", "cancelled"),
    timing_ms: isNumberOrNull,
    frames_processed: isNumber,
    warnings_count: isNumber,
  }),
  frame: hasFields({
    job_id: isText,
    plugin: isText,
    frame_index: isNumber,
    data: hasFields({
      boxes: isListOf(isBox),
      width: isNumber,
      height: isNumber,
      image: (value) => typeof value === "string" && value.startsWith("data:image/"),
    }),
  }),
  partial_result: hasFields({ job_id: isText, plugin: isText, result: hasFields({ rows: isListOf(isObject) }) }),
  warning: hasFields({ job_id: isText, index: isNumber, plugin: isText, message: isText }),
  error: hasFields({ error: isText, details: hasFields({ error_code: isText, message: isText }) }),
  ping: hasFields({ interval_seconds: isNumber }),
  pong: hasFields({ timestamp: isText }),
};

/** Read one text of the socket. Never throws. */
export function readMessage(text: unknown): Read {
  const value = parsed(text);
  if (!isObject(value) || typeof value.type !== "string") return { kind: "malformed" };
  if (!Object.hasOwn(CHECKS, value.type)) return { kind: "unknown" };
  const isSound =
    CHECKS[value.type as MessageType](value.payload) &&
    (value.seq === undefined || isNumberOrNull(value.seq)) &&
    isText(value.timestamp);
  return isSound ? { kind: "message", message: value as ServerMessage } : { kind: "malformed" };
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
