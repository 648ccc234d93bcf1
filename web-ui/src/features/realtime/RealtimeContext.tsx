import { createContext, useEffect, useState } from "react";
import type { ReactNode } from "react";

import { RealtimeClient } from "./RealtimeClient";

/** Carries the client, never the state: a message renders only who asks for it. */
export const RealtimeContext = createContext<RealtimeClient | null>(null);

interface Props {
  /** The job to watch; null watches none. */
  jobId: string | null;
  /** A test or a story gives its own. */
  client?: RealtimeClient;
  children: ReactNode;
}

/** Watches a job for as long as it is mounted. */
export function RealtimeProvider({ jobId, client: given, children }: Props) {
  const [own] = useState(() => new RealtimeClient());
  const client = given ?? own;
  useEffect(() => {
    if (jobId === null) return undefined;
    client.watch(jobId);
    return () => client.leave();
  }, [client, jobId]);
  return <RealtimeContext value={client}>{children}</RealtimeContext>;
}
