import { useContext, useSyncExternalStore } from "react";

import type { Snapshot } from "./RealtimeClient";
import type { RealtimeClient } from "./RealtimeClient";
import { RealtimeContext } from "./RealtimeContext";

export interface Realtime extends Snapshot {
  isConnected: boolean;
}

/** What is known of the watched job, and how the connection is. Throws outside a RealtimeProvider. */
export function useRealtime(): Realtime {
  const client = useRealtimeClient();
  const snapshot = useSyncExternalStore(client.subscribe, client.getSnapshot);
  return { ...snapshot, isConnected: snapshot.connectionState === "CONNECTED" };
}

/** The client itself, for what is not state: reconnecting, and pictures that go past React. */
export function useRealtimeClient(): RealtimeClient {
  const client = useContext(RealtimeContext);
  if (client === null) throw new Error("useRealtime needs a RealtimeProvider around it.");
  return client;
}
