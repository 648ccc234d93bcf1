import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { type JobStatus, STATUSES } from "../api/job";
import type { JobFilters } from "../api/mergeJobs";

/** What the address narrows the list to, and how to change it: `?status=failed&status=running&plugin=name`. */
export function useJobFilters() {
  const [params, setParams] = useSearchParams();
  const asked = params.toString();
  const filters = useMemo<JobFilters>(() => {
    const current = new URLSearchParams(asked);
    const wanted = current.getAll("status");
    return {
      statuses: STATUSES.filter((status) => wanted.includes(status)),
      plugin: current.get("plugin"),
    };
  }, [asked]);
  const change = (next: Partial<JobFilters>) => {
    const { statuses, plugin } = { ...filters, ...next };
    const query = new URLSearchParams(statuses.map((status: JobStatus) => ["status", status]));
    if (plugin !== null) query.set("plugin", plugin);
    setParams(query, { replace: true });
  };
  return { filters, change, isNarrowed: filters.statuses.length > 0 || filters.plugin !== null };
}
