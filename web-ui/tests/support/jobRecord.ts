import { http, HttpResponse } from "msw";

import type { JobFacts } from "@/features/player/api/record";

import { aJob } from "./jobs";

/** The id of the job of tests. */
export const JOB = "01928f7e-6b3a-7c4e-9d2f-3f5b8a1c7e60";

/** Build a record for tests. */
export function aRecord(changes: Partial<JobFacts> = {}): JobFacts {
  return {
    ...aJob(1),
    job_id: JOB,
    filename: "traffic.mp4",
    options: { "detect-motion": { threshold: 3 } },
    summary: { frame_count: 377, detection_count: 192, classes: { car: 20 } },
    attempts: [
      { number: 1, runner_id: "box-1", started_at: "2026-01-01T12:00:00.000Z", outcome: "succeeded", frame: 377 },
    ],
    stage_timings_ms: { fetch: 1, decode: 917.5, process: 2453, encode: 52.3, publish: 99.6 },
    plugin_timings: { "motion-detector.detect-motion": 4.1, "motion-detector": 4.1 },
    warnings: [],
    warning_entries: [],
    fallback: false,
    ...changes,
  };
}

/** Answer the record of the job. */
export const answersRecord = (job: JobFacts) => http.get(`*/v1/jobs/${JOB}/extended`, () => HttpResponse.json(job));

/** Answer that the job's media is being converted. */
export const answersMaking = (progress: number | null) =>
  http.get(`*/v1/jobs/${JOB}/playable`, () =>
    HttpResponse.json({ job_id: JOB, state: "making", progress }, { status: 202 }),
  );

/** Refuse with a problem document. */
export const refuses = (path: string, status: number, title: string, detail: string) =>
  http.all(`*/v1/jobs/${JOB}${path}`, () =>
    HttpResponse.json({ title, detail, status, code: "JOB_UNKNOWN" }, { status }),
  );
