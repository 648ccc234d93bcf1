/** Every sentence of this feature that users read. */
import type { ConnectionState } from "./connection/states";

export const texts = {
  connection: {
    IDLE: "Not connected",
    CONNECTING: "Connecting",
    CONNECTED: "Live",
    DISCONNECTED: "Disconnected",
    RECONNECTING: "Reconnecting",
    CLOSED: "Closed",
  } satisfies Record<ConnectionState, string>,
  hasEnded: "Ended",
  closed: {
    exhausted: "The server did not answer five tries in a row. The job goes on without this page.",
    reconnect: "Reconnect",
    title: "The connection is closed",
  },
  stale: (age: string) => `Stale since ${age}: what is shown is the last that came.`,
  preview: {
    title: "Newest picture",
    none: "No picture yet",
    waiting: "The first picture comes when the job has begun",
    closed: "No live picture: the connection is closed",
  },
  progress: {
    label: "Progress",
    labels: { running: "Analyzing", completed: "Analyzed", failed: "Failed", cancelled: "Cancelled" },
    waiting: "Waiting for the job to begin",
    frame: (current: string, total: string | null) =>
      total === null ? `Frame ${current}` : `Frame ${current} of ${total}`,
    speed: (perSecond: string) => `${perSecond} frames/s`,
  },
  job: {
    socket: { text: "Live", title: "WebSocket connected" },
    http: { text: "Polling", title: "Using HTTP polling" },
    frame: (current: number, total: number | null) =>
      total === null ? `Frame ${current}` : `Frame ${current} / ${total}`,
    tool: (place: number, total: number) => `Tool: ${place} of ${total}`,
    results: "Results",
    failedTitle: "The job failed",
  },
} as const;
