import { EmptyState } from "@/components/feedback/EmptyState";
import type { JobFacts } from "@/features/player/api/record";
import { texts } from "@/features/player/texts";

interface Props {
  jobId: string;
  record: JobFacts;
}

/** What stands in the place of the player while a job has not ended: the one place that shows it live. */
export function LiveSection({ record }: Props) {
  const state = record.status === "pending" ? texts.states.pending : texts.states.running;
  return <EmptyState {...state} />;
}
