import { useQuery } from "@tanstack/react-query";

import type { components } from "@/lib/api";
import { bodyOf, http } from "@/lib/http";

type Schemas = components["schemas"];

/** First bin, last bin, detections. */
type Run = [number, number, number];

/** Where one class or track is found in a result. */
export type Lane = Omit<Schemas["TimelineLane"], "class" | "track_id" | "runs"> & {
  class: string | null;
  track_id: number | string | null;
  runs: Run[];
};

/** A result at a glance; frame f is in bin f * bins // total_frames. */
export type Timeline = Omit<Schemas["ResultTimeline"], "lanes"> & { lanes: readonly Lane[] };

const MOST_BINS = 1000;

/** Which classes and tracks are found where, in as many bins as can be seen. */
export function useTimeline(jobId: string, frames: number) {
  const bins = Math.min(MOST_BINS, Math.max(1, frames));
  return useQuery({
    queryKey: ["job", jobId, "timeline", bins],
    queryFn: async ({ signal }) => {
      const params = { path: { job_id: jobId }, query: { bins } };
      return timelineOf(bodyOf(await http.GET("/v1/jobs/{job_id}/result/timeline", { params, signal })));
    },
    staleTime: Infinity,
  });
}

/** As the typed client reads a lane: it knows no tuples. */
type ReadLane = Omit<Schemas["TimelineLane"], "runs"> & { runs: number[][] };

function timelineOf(answer: Omit<Schemas["ResultTimeline"], "lanes"> & { lanes: ReadLane[] }): Timeline {
  return { ...answer, lanes: answer.lanes.map(laneOf) };
}

function laneOf(lane: ReadLane): Lane {
  const runs = lane.runs.map(([first = 0, last = first, detections = 0]): Run => [first, last, detections]);
  return { ...lane, class: lane.class ?? null, track_id: lane.track_id ?? null, runs };
}
