import { type InfiniteData, type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import type { RefObject } from "react";

import { bodyOf, http } from "@/lib/http";
import { polled, withLimit } from "@/lib/polling";
import { asProblem } from "@/lib/problem";

import type { Job, JobPage } from "./job";
import { fetchJobPage, pagesKey } from "./jobPages";
import { type JobFilters, mergeJobs, type News } from "./mergeJobs";

const EVERY_MS = 2_000;
const MOST_SINGLE_JOBS = 20;

/**
 * Keep the list current: every two seconds its newest page, and those of the `watched` jobs that stand below it.
 *
 * However long the list is, one round asks for one page and a bounded number of jobs.
 */
export function useLiveJobs(filters: JobFilters, watched: RefObject<readonly string[]>, isEnabled: boolean) {
  const client = useQueryClient();
  return useQuery({
    ...polled,
    queryKey: ["jobs", "live", filters],
    queryFn: async ({ signal }) => {
      const newest = await fetchJobPage(filters, null, signal);
      const shown = new Set(newest.jobs.map((job) => job.job_id));
      const below = watched.current.filter((id) => !shown.has(id)).slice(0, MOST_SINGLE_JOBS);
      const single = await Promise.all(below.map(async (id) => [id, await fetchJob(id, signal)] as const));
      putIntoPages(client, filters, { newest, single: new Map(single) });
      return newest.count;
    },
    enabled: isEnabled,
    refetchInterval: EVERY_MS,
  });
}

/** Put what was heard into the pages, unless a page is on its way: that would be put upon the pages as they were. */
function putIntoPages(client: QueryClient, filters: JobFilters, news: News): void {
  const key = pagesKey(filters);
  if (client.getQueryState(key)?.fetchStatus !== "idle") return;
  client.setQueryData<InfiniteData<JobPage, string | null>>(key, (held) => {
    if (held === undefined) return held;
    const last = held.pages.at(-1);
    const asOne = { jobs: held.pages.flatMap((page) => page.jobs), count: 0, next_cursor: last?.next_cursor };
    return { pages: [mergeJobs(asOne, news, filters)], pageParams: [null] };
  });
}

async function fetchJob(job_id: string, signal: AbortSignal): Promise<Job | null> {
  try {
    return bodyOf(await http.GET("/v1/jobs/{job_id}", { params: { path: { job_id } }, signal: withLimit(signal) }));
  } catch (error) {
    if (asProblem(error).status === 404) return null;
    throw error;
  }
}
