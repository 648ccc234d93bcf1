import type { Job, JobPage, JobStatus } from "./job";

/** What the list is narrowed to. */
export interface JobFilters {
  statuses: readonly JobStatus[];
  plugin: string | null;
}

/** What was heard of the list: its newest page, and single jobs below it (null: there is no such job any more). */
export interface News {
  newest: JobPage;
  single: ReadonlyMap<string, Job | null>;
}

/**
 * Put what was heard into the jobs that are held, newest first.
 *
 * Job ids grow with time, so their order is the list's order. Within its span the newest page is the truth: a job that
 * it lacks is gone or matches no longer. Jobs that did not change stay the same objects, so that their rows are not
 * drawn again. Where more jobs came than one page holds, there would be a hole in the list: it starts over instead.
 */
export function mergeJobs(held: JobPage, { newest, single }: News, filters: JobFilters): JobPage {
  const known = new Map(held.jobs.map((job) => [job.job_id, job]));
  const fresh = newest.jobs.map((job) => unlessSame(known.get(job.job_id), job));
  const oldest = newest.jobs.at(-1)?.job_id;
  const newestHeld = held.jobs[0]?.job_id;
  const isWhole = newest.next_cursor == null || oldest === undefined;
  if (isWhole || newestHeld === undefined || newestHeld < oldest) return { ...newest, jobs: fresh };
  const below = held.jobs
    .filter((job) => job.job_id < oldest)
    .flatMap((job) => {
      const heard = single.get(job.job_id);
      if (heard === undefined) return [job];
      return heard !== null && matches(heard, filters) ? [unlessSame(job, heard)] : [];
    });
  return { jobs: [...fresh, ...below], count: newest.count, next_cursor: held.next_cursor };
}

function unlessSame(held: Job | undefined, heard: Job): Job {
  if (held === undefined) return heard;
  const isSame =
    held.status === heard.status &&
    held.progress === heard.progress &&
    held.current_frame === heard.current_frame &&
    held.summary?.detection_count === heard.summary?.detection_count &&
    held.updated_at === heard.updated_at;
  return isSame ? held : heard;
}

function matches(job: Job, { statuses, plugin }: JobFilters): boolean {
  return (statuses.length === 0 || statuses.includes(job.status)) && (plugin === null || plugin === job.plugin_id);
}
