import { useQueryClient } from "@tanstack/react-query";

import { type JobFacts, jobQuery } from "@/features/player/api/record";
import { JobStatus } from "@/features/realtime/JobStatus";

import { statusOf } from "./overlayFacts";

/** The state of a job that has not ended, in a few lines; its answers over HTTP are the page's own. */
export function LiveStatus({ job }: { job: JobFacts }) {
  const queries = useQueryClient();
  const question = jobQuery(job.job_id);
  return (
    <JobStatus
      hasBar={false}
      jobId={job.job_id}
      known={statusOf(job)}
      knownAtMs={queries.getQueryState(question.queryKey)?.dataUpdatedAt ?? 0}
      askJob={async () => statusOf(await queries.query({ ...question, staleTime: 1_000 }))}
    />
  );
}
