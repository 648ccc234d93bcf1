import { Stack } from "@mantine/core";
import { useParams } from "react-router";

import { JobView } from "./job/JobView";

/** Job: the page at /jobs/{job_id}. */
export function JobPage() {
  const { jobId = "" } = useParams();
  return (
    <Stack gap="md">
      <JobView key={jobId} jobId={jobId} />
    </Stack>
  );
}
