/** The six states of a watched job's connection, and every move between them, as docs/realtime.md has them. */

export type ConnectionState = "IDLE" | "CONNECTING" | "CONNECTED" | "DISCONNECTED" | "RECONNECTING" | "CLOSED";

/** What can happen to a connection. */
export type ConnectionEvent =
  | "watch" // someone wants to watch a job
  | "opened" // the socket is open
  | "lost" // the socket could not be opened, or broke
  | "wait" // what is shown is marked as stale; the delay begins
  | "retry" // the delay is over
  | "ended" // the job's ending came
  | "refused" // closed with a code that a new try would meet again
  | "exhausted" // the last try failed
  | "leave"; // no client watches any more

export const TRANSITIONS: Record<ConnectionState, Partial<Record<ConnectionEvent, ConnectionState>>> = {
  IDLE: { watch: "CONNECTING", leave: "CLOSED" },
  CONNECTING: { opened: "CONNECTED", lost: "RECONNECTING", refused: "CLOSED", exhausted: "CLOSED", leave: "CLOSED" },
  CONNECTED: { lost: "DISCONNECTED", refused: "CLOSED", ended: "CLOSED", leave: "CLOSED" },
  DISCONNECTED: { wait: "RECONNECTING", exhausted: "CLOSED", leave: "CLOSED" },
  RECONNECTING: { retry: "CONNECTING", leave: "CLOSED" },
  CLOSED: { watch: "CONNECTING" },
};

/** Return the state that follows; throws for a move that the table does not have. */
export function after(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  const next = TRANSITIONS[state][event];
  if (next === undefined) throw new Error(`A connection that is ${state} has no move "${event}".`);
  return next;
}

/** Milliseconds before each new try; when all have failed, the connection is CLOSED. */
export const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000, 16000] as const;

/** The most that chance adds to a delay, so that the watchers of one server do not all come back in one moment. */
export const JITTER = 0.1;

/** How long a socket may take to open. */
export const CONNECT_LIMIT_MS = 10_000;

/** A connection on which nothing came for this long is lost: the server pings every 30 s. */
export const SILENCE_LIMIT_MS = 60_000;

/** The code of a connection that the browser itself refuses to open; no server closes with it. */
export const REFUSED_BY_BROWSER = 0;

/** Codes that a new try would meet again, with what the reader should know. All others are worth a retry. */
export const REFUSALS: Record<number, string> = {
  [REFUSED_BY_BROWSER]: "This browser refused to open the connection. Enter the API key once more, then reconnect.",
  1007: "The server could not read what this page sent. Reload the page.",
  1008: "The server refused the connection. Enter an API key with the scope stream, then reconnect.",
  1009: "This page sent a message that is too long. Reload the page.",
  4000: "The server refused this page's session. Reload the page.",
  4001: "This session already has 5 connections. Close another page, then reconnect.",
};
