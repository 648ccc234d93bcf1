import { useMemo, useSyncExternalStore } from "react";

import { JobEvents } from "./connection/JobEvents";
import type { JobProgress } from "./connection/JobEvents";

/** Follow a job's progress over its own socket; null follows none, and another id begins again. */
export function useJobProgress(jobId: string | null): JobProgress {
  const events = useMemo(() => new JobEvents(jobId), [jobId]);
  return useSyncExternalStore(events.subscribe, events.getSnapshot);
}
