import { Stack } from "@mantine/core";
import { useState } from "react";

import { ErrorBanner } from "@/components/ErrorBanner";

import type { JobView } from "../view/jobView";

/** What went wrong in a job, each told until it is dismissed. */
export function JobErrors({ errors }: Pick<JobView, "errors">) {
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const told = errors.filter(({ details }) => !dismissed.has(details.message));
  if (told.length === 0) return null;
  return (
    <Stack gap="xs">
      {told.map(({ error, details: { message } }) => (
        <ErrorBanner
          key={message}
          title={error}
          detail={message}
          onDismiss={() => setDismissed((before) => new Set(before).add(message))}
        />
      ))}
    </Stack>
  );
}
