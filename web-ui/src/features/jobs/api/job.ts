import type { components } from "@/lib/api";

export type JobStatus = components["schemas"]["JobStatus"];

/** A job as the list has it. */
export type Job = components["schemas"]["JobView"];

/** A page of the list. */
export interface JobPage {
  jobs: Job[];
  /** How many jobs match in all. */
  count: number;
  next_cursor?: string | null;
}

/** Every status, in the order in which a job goes through them. */
export const STATUSES: readonly JobStatus[] = ["pending", "running", "completed", "failed", "cancelled"];

/** Whether a job still changes. */
export function isUnfinished(job: Job): boolean {
  return job.status === "pending" || job.status === "running";
}

/** What a job is called where its file's name is unknown. */
export function nameOf(job: Job): string {
  return job.filename ?? `${job.job_type.startsWith("image") ? "Image" : "Video"} ${job.job_id.slice(-8)}`;
}

/** How long a job has run, in seconds, by the server's own clock; null until it was started. */
export function runSeconds(job: Job): number | null {
  if (job.started_at == null) return null;
  return (Date.parse(job.completed_at ?? job.updated_at) - Date.parse(job.started_at)) / 1_000;
}
