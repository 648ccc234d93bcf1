import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { EmptyState } from "@/components/feedback/EmptyState";
import { usePluginOf } from "@/features/player/api/plugin";
import type { JobFacts } from "@/features/player/api/record";
import { texts } from "@/features/player/texts";
import { RealtimeProvider } from "@/features/realtime/RealtimeContext";
import { RealtimeOverlay } from "@/features/realtime/RealtimeOverlay";
import { useRealtime } from "@/features/realtime/useRealtime";

import { deviceOf, recordedPluginOf, statusOf } from "./overlayFacts";
import { LiveStatus } from "./LiveStatus";

/** What stands in the place of the player while a job has not ended: the job, live. */
export function LiveSection({ job }: { job: JobFacts }) {
  const jobId = job.job_id;
  const plugin = recordedPluginOf(job, usePluginOf(job.plugin_id));
  return (
    <RealtimeProvider jobId={jobId}>
      {job.status === "pending" ? <EmptyState {...texts.states.pending} /> : null}
      <RealtimeOverlay
        device={deviceOf(job)}
        plugin={plugin}
        status={<LiveStatus job={job} />}
        record={statusOf(job)}
      />
      <AskAtTheEnd jobId={jobId} />
    </RealtimeProvider>
  );
}

/** Asks for the record as soon as the job has ended, so that the review begins at once. */
function AskAtTheEnd({ jobId }: { jobId: string }) {
  const status = useRealtime().progress?.status ?? "running";
  const queries = useQueryClient();
  useEffect(() => {
    if (status !== "running") void queries.invalidateQueries({ queryKey: ["job", jobId], exact: true });
  }, [queries, jobId, status]);
  return null;
}
