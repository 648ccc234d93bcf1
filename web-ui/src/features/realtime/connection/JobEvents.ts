/**
 * The flat progress events of one job over `/ws/jobs/{id}`. The socket is open for as long as a component subscribes and
 * the job has not ended.
 */
import { REFUSALS } from "./states";
import { jobEventsAddress, openSocket, triedSocket } from "./sockets";
import type { OpenSocket, Socket } from "./sockets";

export type JobProgressStatus = "pending" | "running" | "completed" | "failed" | "cancelled";

/** How far a job is. */
interface JobProgressEvent {
  job_id: string;
  current_frame: number;
  total_frames: number | null;
  percent: number | null;
  current_tool: string | null;
  tools_total: number | null;
  tools_completed: number | null;
}

export interface JobProgress {
  progress: JobProgressEvent | null;
  status: JobProgressStatus;
  /** What the reader should know of a failed job. */
  error: string | null;
  isConnected: boolean;
}

const NO_PROGRESS: JobProgress = { progress: null, status: "pending", error: null, isConnected: false };

const RECONNECT_MS = 2000;
const PING_MS = 30_000;
/** A socket on which nothing came for so many pings is lost, though nothing said so. */
const MOST_UNANSWERED = 2;

export class JobEvents {
  readonly #jobId: string | null;
  readonly #openSocket: OpenSocket;
  readonly #listeners = new Set<() => void>();
  #snapshot = NO_PROGRESS;
  #socket: Socket | null = null;
  #pings: number | undefined;
  /** How many pings in a row nothing followed. */
  #unanswered = 0;
  #retry: number | undefined;

  constructor(jobId: string | null, open: OpenSocket = openSocket) {
    this.#jobId = jobId;
    this.#openSocket = open;
  }

  readonly getSnapshot = (): JobProgress => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) this.#open();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  };

  #open(): void {
    const { status } = this.#snapshot;
    if (this.#jobId === null || (status !== "pending" && status !== "running")) return;
    const socket = triedSocket(this.#openSocket, jobEventsAddress(this.#jobId));
    this.#socket = socket;
    if (socket === null) return;
    socket.onopen = () => {
      // What was known before a break may be old by now: the first event says how it is.
      this.#set({ isConnected: true, progress: null, status: "pending" });
      this.#unanswered = 0;
      this.#pings = window.setInterval(() => this.#ping(socket), PING_MS);
    };
    socket.onmessage = (event) => {
      this.#unanswered = 0;
      this.#receive(event.data);
    };
    socket.onclose = ({ code }) => {
      if (code in REFUSALS) this.#close();
      else this.#openLater();
    };
  }

  #ping(socket: Socket): void {
    if (this.#unanswered === MOST_UNANSWERED) {
      this.#openLater();
      return;
    }
    this.#unanswered += 1;
    socket.send('{"type":"ping"}');
  }

  #openLater(): void {
    this.#close();
    this.#retry = window.setTimeout(() => this.#open(), RECONNECT_MS);
  }

  #close(): void {
    window.clearInterval(this.#pings);
    window.clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#set({ isConnected: false });
  }

  #receive(text: unknown): void {
    const event = read(text);
    if (event?.job_id !== this.#jobId) return;
    if (event.status === undefined) {
      const progress = progressOf(event);
      if (progress !== null) this.#set({ progress, status: "running" });
      return;
    }
    const status = ENDINGS[event.status];
    if (status === undefined) return;
    this.#set({ status, error: status === "failed" ? (event.message ?? "") : null });
    this.#close();
  }

  #set(changes: Partial<JobProgress>): void {
    this.#snapshot = { ...this.#snapshot, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

const ENDINGS: Record<string, JobProgressStatus | undefined> = {
  completed: "completed",
  error: "failed",
  cancelled: "cancelled",
};

interface FlatEvent extends Partial<Omit<JobProgressEvent, "job_id">> {
  job_id?: unknown;
  status?: string;
  message?: string;
}

function read(text: unknown): FlatEvent | null {
  try {
    const value: unknown = typeof text === "string" ? JSON.parse(text) : null;
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

function progressOf(event: FlatEvent): JobProgressEvent | null {
  const { job_id, current_frame } = event;
  if (typeof job_id !== "string" || typeof current_frame !== "number") return null;
  return {
    job_id,
    current_frame,
    total_frames: event.total_frames ?? null,
    percent: event.percent ?? null,
    current_tool: event.current_tool ?? null,
    tools_total: event.tools_total ?? null,
    tools_completed: event.tools_completed ?? null,
  };
}
