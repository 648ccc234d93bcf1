import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { bodyOf, http } from "@/lib/http";
import { polled, withLimit } from "@/lib/polling";

import type { JobPage } from "./job";
import type { JobFilters } from "./mergeJobs";

const JOBS_PER_PAGE = 100;

/** Where the pages of a list are kept. */
export function pagesKey(filters: JobFilters) {
  return ["jobs", "pages", filters] as const;
}

/** Ask for one page of the list. */
export async function fetchJobPage(filters: JobFilters, cursor: string | null, signal: AbortSignal): Promise<JobPage> {
  const query = {
    limit: JOBS_PER_PAGE,
    ...(filters.statuses.length === 0 ? {} : { status: [...filters.statuses] }),
    ...(filters.plugin === null ? {} : { plugin: filters.plugin }),
    ...(cursor === null ? {} : { cursor }),
  };
  return bodyOf(await http.GET("/v1/jobs", { params: { query }, signal: withLimit(signal) }));
}

/** The pages of the list that were asked for so far; useLiveJobs keeps them current. */
export function useJobPages(filters: JobFilters) {
  const pages = useInfiniteQuery({
    ...polled,
    queryKey: pagesKey(filters),
    queryFn: ({ pageParam, signal }) => fetchJobPage(filters, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    structuralSharing: false,
  });
  const jobs = useMemo(() => pages.data?.pages.flatMap((page) => page.jobs) ?? [], [pages.data]);
  return { ...pages, jobs, count: pages.data?.pages.at(-1)?.count ?? 0 };
}
