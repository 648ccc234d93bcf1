import type { components } from "@/lib/api";

type Job = components["schemas"]["JobView"];
type JobPage = components["schemas"]["JobPage"];

/** Build a job; a later one has a higher number. */
export function aJob(number: number, given: Partial<Job> & { filename?: string } = {}): Job {
  return {
    job_id: `01900000-0000-7000-8000-${String(number).padStart(12, "0")}`,
    status: "completed",
    plugin_id: "motion-detector",
    tool: "detect-motion",
    tools: ["detect-motion"],
    job_type: "video",
    progress: 100,
    current_frame: 377,
    total_frames: 377,
    tools_total: 1,
    tools_completed: 1,
    attempt: 1,
    created_at: "2026-01-01T12:00:00.000Z",
    started_at: "2026-01-01T12:00:01.000Z",
    updated_at: "2026-01-01T12:00:05.000Z",
    completed_at: "2026-01-01T12:00:05.000Z",
    summary: { frame_count: 377, detection_count: 192 },
    ...given,
  };
}

/** Build a page of the list. */
export function aPage(jobs: Job[], given: Partial<JobPage> = {}): JobPage {
  return { jobs, count: jobs.length, next_cursor: null, ...given };
}
