import { FieldView } from "@/components/FieldView";
import { fieldOf } from "@/lib/boxes/field";

import type { JobView } from "../view/jobView";

interface Props {
  job: Pick<JobView, "partialResult" | "currentFrame">;
  shows: { pitch: boolean; radar: boolean };
}

/** The field of the newest row: a second behind the picture, so it stands beside it with its own frame's number. */
export function LiveField({ job, shows }: Props) {
  const row = newestRow(job);
  if (row === undefined || typeof row.frame_index !== "number" || job.currentFrame === null) return null;
  return <FieldView field={fieldOf(row)} frameIndex={row.frame_index} size={job.currentFrame.data} shows={shows} />;
}

/** Whether the tool's output has a pitch or a radar. */
export function hasField(job: Props["job"]): { pitch: boolean; radar: boolean } {
  const { pitch, radar } = fieldOf(newestRow(job) ?? {});
  return { pitch: pitch !== null, radar: radar !== null };
}

function newestRow({ partialResult }: Props["job"]) {
  return partialResult?.rows.at(-1);
}
