import { Button } from "@mantine/core";

import { type Job, nameOf } from "../api/job";
import { useCancelJob } from "../api/cancelJob";
import { texts } from "../texts";

/** Ends a job that has not ended. */
export function CancelButton({ job }: { job: Job }) {
  const cancel = useCancelJob(job.job_id);
  return (
    <Button
      size="compact-xs"
      variant="default"
      loading={cancel.isPending}
      aria-label={texts.cancelNamed(nameOf(job))}
      onClick={() => cancel.mutate()}
    >
      {texts.cancel}
    </Button>
  );
}
