import { useEffect, useState } from "react";

/** How a question is asked again and again: it is its own retry, and a browser that thinks it is offline may still reach it. */
export const polled = { retry: false, networkMode: "always", refetchOnWindowFocus: true } as const;

const LONGEST_WAIT_MS = 6_000;

/** End a request that is given up by its asker, or that takes so long that its answer would be old. */
export function withLimit(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WAIT_MS)]);
}

/** The seconds since a moment, counted while the component is shown; null while there is no such moment. */
export function useSecondsSince(momentMs: number | null): number | null {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const isCounting = momentMs !== null;
  useEffect(() => {
    if (!isCounting) return;
    const tick = () => setNowMs(Date.now());
    tick();
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [isCounting]);
  return momentMs === null ? null : Math.max(0, Math.round((nowMs - momentMs) / 1_000));
}
