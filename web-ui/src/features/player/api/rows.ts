import type { Row } from "@/lib/boxes/boxes";

import type { LoadRows } from "../engine/RowWindows";
import { ask } from "./ask";

/** Return the loader of a job's rows. */
export function rowsOf(jobId: string): LoadRows {
  return async (fromFrame, limit) => {
    const answer = await ask(`/v1/jobs/${jobId}/result?format=jsonl&from_frame=${fromFrame}&limit=${limit}`);
    const lines = (await answer.text()).split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Row);
  };
}
