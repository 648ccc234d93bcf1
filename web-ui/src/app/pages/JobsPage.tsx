import { JobsScreen } from "@/features/jobs/components/JobsScreen";
import { texts } from "@/lib/texts";

/** Jobs. */
export function JobsPage() {
  return <JobsScreen title={texts.pages.jobs} />;
}
