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

/** What is known when the socket has said something: its word is newer than the record's, except that an end is an end. */
export function factsAfter(facts: JobFacts, { status, progress, error }: JobProgress): JobFacts {
  const isOver = facts.status !== "pending" && facts.status !== "running";
  if (status === "pending" || isOver) return facts;
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
