import { useEffect, useState } from "react";

import { useRealtime, useRealtimeClient } from "../useRealtime";

/** A running job says something several times a second; without a word for this long, what is shown is old. */
const STALE_AFTER_MS = 3000;

/** How old the newest message of a running job is, in whole seconds; null while it is fresh. */
export function useStaleSeconds(): number | null {
  const client = useRealtimeClient();
  const { progress, heardAtMs } = useRealtime();
  const [nowMs, setNowMs] = useState(() => client.nowMs());
  const isRunning = progress?.status === "running";
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = window.setInterval(() => setNowMs(client.nowMs()), 1000);
    return () => window.clearInterval(timer);
  }, [client, isRunning]);
  if (!isRunning || heardAtMs === null) return null;
  const ageMs = nowMs - heardAtMs;
  return ageMs >= STALE_AFTER_MS ? Math.floor(ageMs / 1000) : null;
}
