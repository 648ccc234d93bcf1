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

/** Open a socket; null where the browser refuses even to try, which another try would meet again. */
export function triedSocket(open: OpenSocket, address: string): Socket | null {
  try {
    return open(address, socketProtocols());
  } catch {
    return null;
  }
}

/** What a browser takes as the name of a subprotocol: a token of RFC 7230. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The subprotocols of a socket: a browser sets no headers on one, so a key that can be part of a name travels here. */
export function socketProtocols(key: string | null = apiKey()): string[] {
  return key === null || !TOKEN.test(key) ? [] : ["forgesyte.realtime", `forgesyte.key.${key}`];
}

/** Where a job is watched: on the page's own origin, from the last `seq` that the watcher has. */
export function realtimeAddress(jobId: string, since: number | null, origin: string = location.origin): string {
  const address = new URL("/v1/realtime", socketOrigin(origin));
  address.searchParams.set("job_id", jobId);
  if (since !== null) address.searchParams.set("since", String(since));
  return withOddKey(address).href;
}

/** Where the flat progress events of a job are. */
export function jobEventsAddress(jobId: string, origin: string = location.origin): string {
  return withOddKey(new URL(`/ws/jobs/${encodeURIComponent(jobId)}`, socketOrigin(origin))).href;
}

/** Put a key that no subprotocol can carry into the address: one with "=" or "/", for example. */
function withOddKey(address: URL, key: string | null = apiKey()): URL {
  if (key !== null && !TOKEN.test(key)) address.searchParams.set("api_key", key);
  return address;
}

function socketOrigin(origin: string): string {
  return origin.replace(/^http/, "ws");
}
