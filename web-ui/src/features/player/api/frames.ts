import { useQuery } from "@tanstack/react-query";

import { FrameTable } from "../engine/FrameTable";
import { ask, madeOf, untilReached } from "./ask";

/** Which video a table is of: the one that was submitted, or the copy that browsers play. */
export type TableOf = "input" | "playable";

/** The table of a job's frames. */
export function useFrameTable(jobId: string, of: TableOf, isWanted: boolean) {
  return useQuery({
    queryKey: ["job", jobId, "frames", of],
    queryFn: async ({ signal }) => {
      const headers = { Accept: "application/vnd.forgesyte.frames" };
      const answer = await ask(`/v1/jobs/${jobId}/frames?of=${of}`, { headers, signal });
      return madeOf(answer, async (whole) => FrameTable.parse(await whole.arrayBuffer()));
    },
    enabled: isWanted,
    staleTime: Infinity,
    structuralSharing: false,
    retry: false,
    refetchInterval: (query) => untilReached(query.state),
  });
}
