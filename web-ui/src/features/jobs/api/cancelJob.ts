import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { bodyOf, http } from "@/lib/http";
import { asProblem } from "@/lib/problem";

/** Cancel a job; what the server says against it is shown. */
export function useCancelJob(job_id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => bodyOf(await http.POST("/v1/jobs/{job_id}/cancel", { params: { path: { job_id } } })),
    onError: (error) => {
      const { title, detail } = asProblem(error);
      notifications.show({ color: "red", title, message: detail });
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs", "live"] }),
  });
}
