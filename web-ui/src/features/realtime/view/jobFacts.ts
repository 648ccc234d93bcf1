import type { JobProgress, JobProgressStatus } from "../connection/JobEvents";

/** What a job's status needs of the record; the page maps its answer into this. */
export interface JobFacts {
  status: JobProgressStatus;
  /** Null until it has begun. */
  percent: number | null;
  currentFrame: number | null;
  totalFrames: number | null;
  toolsTotal: number | null;
  toolsCompleted: number;
  error: string | null;
}

/** Whether a job with this status has ended. */
export function isOver(status: JobProgressStatus): boolean {
  return status !== "pending" && status !== "running";
}

/** What is known when the socket has said something: while it is open its word is the newest, and an end is an end. */
export function factsAfter(facts: JobFacts, { status, progress, error, isConnected }: JobProgress): JobFacts {
  if (status === "pending" || isOver(facts.status) || !(isConnected || isOver(status))) return facts;
  return {
    ...facts,
    status,
    error,
    ...(progress === null
      ? {}
      : {
          currentFrame: progress.current_frame,
          totalFrames: progress.total_frames,
          toolsTotal: progress.tools_total ?? facts.toolsTotal,
          toolsCompleted: progress.tools_completed ?? facts.toolsCompleted,
        }),
    percent: status === "completed" ? 100 : (progress?.percent ?? facts.percent),
  };
}
