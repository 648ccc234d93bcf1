import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";
import { asProblem } from "@/lib/problem";

type Schemas = components["schemas"];

/** One claim of a job. */
export type AttemptFacts = Schemas["AttemptView"];

/** A job's record with how it was made. */
export type JobFacts = Schemas["ExtendedJobResponse"];

/** How often the record of a job that has not ended is asked for. */
const EVERY_MS = 2_000;

/** Whether a job has ended, however. */
export function hasEnded(job: Pick<JobFacts, "status">): boolean {
  return job.status === "completed" || job.status === "failed" || job.status === "cancelled";
}

/** Whether the service knows the job no more: asking again would not bring it back. */
export function isGone(error: unknown): boolean {
  return error !== null && asProblem(error).status === 404;
}

/** The question for the record of a job. */
export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["job", jobId],
    queryFn: async ({ signal }) =>
      bodyOf(await http.GET("/v1/jobs/{job_id}/extended", { params: { path: { job_id: jobId } }, signal })),
  });

/** The record of a job, asked for again until the job has ended or is gone. */
export function useJobFacts(jobId: string) {
  return useQuery({
    ...jobQuery(jobId),
    refetchInterval: ({ state: { data, error } }) =>
      isGone(error) || (data !== undefined && hasEnded(data)) ? false : EVERY_MS,
  });
}

/** Submits a job's media again with the same tools and options; gives the id of the new job. A second click makes no second one. */
export function useRetry(jobId: string, onSubmitted: (newJobId: string) => void) {
  const isAsked = useRef(false);
  const { error, mutate, isPending, isSuccess } = useMutation({
    mutationFn: async () =>
      bodyOf(await http.POST("/v1/jobs/{job_id}/retry", { params: { path: { job_id: jobId } }, body: {} })),
    onSuccess: (submitted) => onSubmitted(submitted.job_id),
    onError: () => {
      isAsked.current = false;
    },
  });
  const submit = (): void => {
    if (isAsked.current) return;
    isAsked.current = true;
    mutate();
  };
  return { error, submit, isBusy: isPending || isSuccess };
}

/** Cancels a job. */
export function useCancelJob(jobId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      bodyOf(await http.POST("/v1/jobs/{job_id}/cancel", { params: { path: { job_id: jobId } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["job", jobId], exact: true }),
  });
}
