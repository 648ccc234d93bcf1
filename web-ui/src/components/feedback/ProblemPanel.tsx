import { Button } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";
import { asProblem } from "@/lib/problem";

/** The failed state of a screen: what the server said, and a way to try again. */
export function ProblemPanel({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asProblem(error);
  return (
    <ErrorBanner title={problem.title} detail={problem.detail}>
      {onRetry === undefined ? null : (
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </ErrorBanner>
  );
}
