import { Group, Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useCallback, useRef } from "react";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { StaleSince } from "@/components/feedback/StaleSince";
import { Spinner } from "@/components/Spinner";
import { countText } from "@/lib/format";

import { useJobPages } from "../api/jobPages";
import { useLiveJobs } from "../api/liveJobs";
import { useJobFilters } from "../hooks/useJobFilters";
import { texts } from "../texts";
import { JobFilterBar } from "./JobFilterBar";
import { JobList } from "./JobList";
import classes from "./JobsScreen.module.css";
import { NoJobs } from "./NoJobs";

/** The list of jobs: filters, what is shown of how many, and the jobs themselves. */
export function JobsScreen({ title }: { title: string }) {
  const { filters, change, isNarrowed } = useJobFilters();
  const isNarrow = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
  const pages = useJobPages(filters);
  const { jobs, count, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = pages;
  const seen = useRef<readonly string[]>([]);
  const onSeen = useCallback((ids: readonly string[]) => void (seen.current = ids), []);
  const live = useLiveJobs(filters, seen, pages.isSuccess);
  const onNearEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  return (
    <div className={classes.screen}>
      <Group justify="space-between" align="baseline">
        <Title order={1}>{title}</Title>
        {jobs.length === 0 ? null : (
          <Text size="sm" c="dimmed" role="status" aria-live="off">
            {texts.showing(countText(jobs.length), countText(Math.max(count, jobs.length)))}
            {isFetchingNextPage ? ` · ${texts.loadingMore}` : ""}
          </Text>
        )}
      </Group>
      <JobFilterBar filters={filters} onChange={change} />
      <StaleSince error={live.error} answeredAtMs={live.dataUpdatedAt || pages.dataUpdatedAt} />
      {isFetchNextPageError ? <ProblemPanel error={pages.error} onRetry={() => void fetchNextPage()} /> : null}
      {pages.isPending ? <Spinner label={texts.loading} /> : null}
      {pages.isLoadingError ? <ProblemPanel error={pages.error} onRetry={() => void pages.refetch()} /> : null}
      {pages.isSuccess && jobs.length === 0 ? (
        <NoJobs isNarrowed={isNarrowed} onWiden={() => change({ statuses: [], plugin: null })} />
      ) : null}
      {jobs.length > 0 ? (
        <JobList
          key={isNarrow ? "cards" : "rows"}
          jobs={jobs}
          isNarrow={isNarrow}
          onSeen={onSeen}
          onNearEnd={onNearEnd}
        />
      ) : null}
    </div>
  );
}
