import { useQuery } from "@tanstack/react-query";

import { withApiKey } from "@/lib/apiKey";

import { ask, madeOf, untilReached } from "./ask";

/** Media that a browser can show. */
export interface Playable {
  /** Whether it is a converted copy of what was submitted. */
  isCopy: boolean;
}

/** The address of a job's media, for elements that send no headers. */
export function playableAddress(jobId: string): string {
  return withApiKey(`/v1/jobs/${jobId}/playable`);
}

/** Ask for the first byte of a job's media: enough to learn whether they can be had. */
export function askPlayable(jobId: string, signal?: AbortSignal): Promise<Response> {
  return ask(`/v1/jobs/${jobId}/playable`, { headers: { Range: "bytes=0-0" }, ...(signal && { signal }) });
}

/** Whether a job's media can be shown; asking for it begins to make a copy where one is needed. */
export function usePlayable(jobId: string) {
  return useQuery({
    queryKey: ["job", jobId, "playable"],
    queryFn: async ({ signal }) => {
      const answer = await askPlayable(jobId, signal);
      return madeOf<Playable>(answer, async (media) => {
        await media.body?.cancel();
        return { isCopy: media.headers.get("Forgesyte-Playable") === "copy" };
      });
    },
    staleTime: Infinity,
    retry: false,
    refetchInterval: (query) => untilReached(query.state),
  });
}
