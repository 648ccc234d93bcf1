import { useQuery } from "@tanstack/react-query";

import { ask } from "./ask";

/** Where one class or track is found in a result. Runs are [first bin, last bin, detections]. */
// until the generated types have it
export interface Lane {
  kind: "class" | "track";
  tool: string;
  class: string | null;
  track_id: number | string | null;
  frames: number;
  detections: number;
  first_frame: number;
  last_frame: number;
  runs: [number, number, number][];
}

/** A result at a glance; frame f is in bin f * bins // total_frames. */
// until the generated types have it
export interface TimelineFacts {
  job_id: string;
  attempt: number;
  complete: boolean;
  bins: number;
  total_frames: number;
  lanes: Lane[];
  lanes_omitted: number;
}

const MOST_BINS = 800;

/** Which classes and tracks are found where, in as many bins as can be seen. */
export function useTimeline(jobId: string, frames: number) {
  const bins = Math.min(MOST_BINS, Math.max(1, frames));
  return useQuery({
    queryKey: ["job", jobId, "timeline", bins],
    queryFn: async ({ signal }) =>
      (await (await ask(`/v1/jobs/${jobId}/result/timeline?bins=${bins}`, { signal })).json()) as TimelineFacts,
    staleTime: Infinity,
  });
}
