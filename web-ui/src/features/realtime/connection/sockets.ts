import { apiKey } from "@/lib/apiKey";

/** The part of a WebSocket that the page uses; a test gives its own. */
export interface Socket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

export type OpenSocket = (address: string, protocols: string[]) => Socket;

/** Open a socket of the browser. */
export const openSocket: OpenSocket = (address, protocols) => new WebSocket(address, protocols);

/** The subprotocols of a socket: a browser sets no headers on one, so the key travels here. */
export function socketProtocols(key: string | null = apiKey()): string[] {
  return key === null ? [] : ["forgesyte.realtime", `forgesyte.key.${key}`];
}

/** Where a job is watched: on the page's own origin, from the last `seq` that the watcher has. */
export function realtimeAddress(jobId: string, since: number | null, origin: string = location.origin): string {
  const address = new URL("/v1/realtime", socketOrigin(origin));
  address.searchParams.set("job_id", jobId);
  if (since !== null) address.searchParams.set("since", String(since));
  return address.href;
}

/** Where the flat progress events of a job are. */
export function jobEventsAddress(jobId: string, origin: string = location.origin): string {
  return new URL(`/ws/jobs/${encodeURIComponent(jobId)}`, socketOrigin(origin)).href;
}

function socketOrigin(origin: string): string {
  return origin.replace(/^http/, "ws");
}
