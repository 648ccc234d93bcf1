import { Button } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";
import { asProblem } from "@/lib/problem";

interface Props {
  error: unknown;
  onRetry?: () => void;
  /** Whether what did not reach the server is asked again and again. */
  isPolled?: boolean;
}

/** The failed state of a screen: what the server said, and a way to try again. */
export function ProblemPanel({ error, onRetry, isPolled = false }: Props) {
  const { status, title, detail } = asProblem(error);
  const then = isPolled && status === 0 ? " The page tries again by itself." : "";
  return (
    <ErrorBanner title={title} detail={`${detail}${then}`}>
      {onRetry === undefined ? null : (
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </ErrorBanner>
  );
}
