/**
 * Watches one job over `/v1/realtime`, across reconnects. A plain class without React: it owns the socket and the
 * timers, and gives out immutable snapshots.
 *
 * A connection counts as a success with its first message, not when it opens: the server accepts a socket before it
 * refuses it, so an open socket alone proves nothing.
 */
import { readMessage } from "./connection/messages";
import type { ServerMessage } from "./connection/messages";
import { openSocket, realtimeAddress, triedSocket } from "./connection/sockets";
import type { OpenSocket, Socket } from "./connection/sockets";
import {
  after,
  CONNECT_LIMIT_MS,
  JITTER,
  REFUSALS,
  REFUSED_BY_BROWSER,
  RETRY_DELAYS_MS,
  SILENCE_LIMIT_MS,
} from "./connection/states";
import type { ConnectionEvent, ConnectionState } from "./connection/states";
import { EMPTY_VIEW, isOfAnotherJob, viewAfter } from "./view/jobView";
import type { JobView } from "./view/jobView";

/** Why a connection is CLOSED for good. */
type CloseReason =
  { kind: "ended" } | { kind: "left" } | { kind: "exhausted" } | { kind: "refused"; code: number; text: string };

export interface Snapshot extends JobView {
  jobId: string | null;
  connectionState: ConnectionState;
  closeReason: CloseReason | null;
  /** How many tries have failed since the last success. */
  failedTries: number;
  /** When the last message came, on the client's clock in milliseconds; null before the first. */
  heardAtMs: number | null;
  /** Messages of a type that this page does not know. */
  unknownMessages: number;
  /** Texts that were no message. */
  malformedMessages: number;
}

/** What the client asks of its surroundings; a test gives its own. */
export interface Surroundings {
  openSocket: OpenSocket;
  setTimer: (action: () => void, delayMs: number) => number;
  clearTimer: (timer: number) => void;
  /** Evenly spread over 0 to 1. */
  random: () => number;
  nowMs: () => number;
  origin: string;
}

const BROWSER: Surroundings = {
  openSocket,
  setTimer: (action, delayMs) => window.setTimeout(action, delayMs),
  clearTimer: (timer) => window.clearTimeout(timer),
  random: Math.random,
  nowMs: () => performance.now(),
  origin: location.origin,
};

const START: Snapshot = {
  ...EMPTY_VIEW,
  jobId: null,
  connectionState: "IDLE",
  closeReason: null,
  failedTries: 0,
  heardAtMs: null,
  unknownMessages: 0,
  malformedMessages: 0,
};

export class RealtimeClient {
  readonly nowMs: () => number;
  readonly #around: Surroundings;
  readonly #listeners = new Set<() => void>();
  #snapshot: Snapshot = START;
  #socket: Socket | null = null;
  /** The one thing that is waited for: the opening, the next message, or the end of a delay. */
  #timer: number | null = null;
  #seq: number | null = null;

  constructor(surroundings: Partial<Surroundings> = {}) {
    this.#around = { ...BROWSER, ...surroundings };
    this.nowMs = this.#around.nowMs;
  }

  readonly getSnapshot = (): Snapshot => this.#snapshot;

  /** Call `listener` after each change. Returns the function that ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Watch a job. Another job than before begins with nothing known. */
  watch(jobId: string): void {
    if (jobId !== this.#snapshot.jobId) {
      this.#drop();
      this.#seq = null;
      this.#set({ ...START, jobId });
    }
    const { connectionState } = this.#snapshot;
    if (connectionState === "IDLE" || connectionState === "CLOSED") this.reconnect();
  }

  /** Begin again after CLOSED, with all tries. */
  reconnect(): void {
    this.#move("watch", { closeReason: null, failedTries: 0 });
    this.#open();
  }

  /** Stop watching. What is known stays readable. */
  leave(): void {
    if (this.#snapshot.connectionState === "CLOSED") return;
    this.#drop();
    this.#move("leave", { closeReason: { kind: "left" } });
  }

  /** Ask for a sign of life; the server answers with a pong. */
  ping(): void {
    if (this.#snapshot.connectionState === "CONNECTED") this.#socket?.send('{"type":"ping"}');
  }

  #open(): void {
    const { jobId } = this.#snapshot;
    if (jobId === null) return;
    const address = realtimeAddress(jobId, this.#seq, this.#around.origin);
    const socket = triedSocket(this.#around.openSocket, address);
    this.#socket = socket;
    if (socket === null) {
      this.#closedWith(REFUSED_BY_BROWSER);
      return;
    }
    socket.onopen = () => {
      this.#wait(SILENCE_LIMIT_MS, () => this.#fail());
      this.#move("opened");
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = ({ code }) => this.#closedWith(code);
    this.#wait(CONNECT_LIMIT_MS, () => this.#fail());
  }

  #receive(text: unknown): void {
    this.#wait(SILENCE_LIMIT_MS, () => this.#fail());
    const read = readMessage(text);
    const heard = { heardAtMs: this.#around.nowMs(), failedTries: 0 };
    if (read.kind === "unknown") {
      this.#set({ ...this.#snapshot, ...heard, unknownMessages: this.#snapshot.unknownMessages + 1 });
    } else if (read.kind === "malformed") {
      this.#set({ ...this.#snapshot, malformedMessages: this.#snapshot.malformedMessages + 1 });
    } else if (!isOfAnotherJob(read.message, this.#snapshot.jobId)) {
      this.#accept(read.message, heard);
    }
  }

  #accept(message: ServerMessage, heard: Partial<Snapshot>): void {
    this.#seq = message.seq ?? this.#seq;
    if (message.type === "ping") this.#socket?.send('{"type":"pong"}');
    this.#set({ ...this.#snapshot, ...viewAfter(this.#snapshot, message), ...heard });
    if (message.type !== "progress" || message.payload.status === "running") return;
    this.#drop();
    this.#move("ended", { closeReason: { kind: "ended" } });
  }

  #closedWith(code: number): void {
    const text = REFUSALS[code];
    if (text === undefined) {
      this.#fail();
      return;
    }
    this.#drop();
    this.#move("refused", { closeReason: { kind: "refused", code, text } });
  }

  /** The socket could not be opened, broke, or fell silent. */
  #fail(): void {
    this.#drop();
    const { failedTries, connectionState } = this.#snapshot;
    if (connectionState === "CONNECTED") this.#move("lost");
    const delayMs = RETRY_DELAYS_MS[failedTries];
    if (delayMs === undefined) {
      this.#move("exhausted", { closeReason: { kind: "exhausted" } });
      return;
    }
    this.#move(connectionState === "CONNECTED" ? "wait" : "lost", { failedTries: failedTries + 1 });
    this.#wait(delayMs * (1 + JITTER * this.#around.random()), () => {
      this.#move("retry");
      this.#open();
    });
  }

  #drop(): void {
    if (this.#timer !== null) this.#around.clearTimer(this.#timer);
    this.#timer = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #wait(delayMs: number, action: () => void): void {
    if (this.#timer !== null) this.#around.clearTimer(this.#timer);
    this.#timer = this.#around.setTimer(action, delayMs);
  }

  #move(event: ConnectionEvent, changes: Partial<Snapshot> = {}): void {
    this.#set({ ...this.#snapshot, ...changes, connectionState: after(this.#snapshot.connectionState, event) });
  }

  #set(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}
