import { useQuery } from "@tanstack/react-query";

import { withApiKey } from "@/lib/apiKey";

import { ask, madeOf, untilMade } from "./ask";

/** The forms in which a result can be saved. */
export type Format = "json" | "jsonl" | "csv" | "mp4";

/** The address of a result in one form. */
export function resultAddress(jobId: string, format: Format): string {
  return withApiKey(`/v1/jobs/${jobId}/result?format=${format}`);
}

/** Whether the annotated video is there; asking for it begins to draw it. */
export function useAnnotatedVideo(jobId: string, isWanted: boolean) {
  return useQuery({
    queryKey: ["job", jobId, "annotated"],
    queryFn: async ({ signal }) => {
      const headers = { Prefer: "respond-async", Range: "bytes=0-0" };
      const answer = await ask(`/v1/jobs/${jobId}/result?format=mp4`, { headers, signal });
      return madeOf(answer, async (video) => {
        await video.body?.cancel();
        return true;
      });
    },
    enabled: isWanted,
    staleTime: Infinity,
    refetchInterval: (query) => untilMade(query.state.data),
  });
}
