import { Button } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";
import { ProblemPanel } from "@/components/feedback/ProblemPanel";

import type { MediaFailure } from "../hooks/useMediaFailure";
import { texts } from "../texts";

interface Props {
  failure: MediaFailure;
  /** What is said where the browser cannot play the media. */
  refused: { title: string; next: string };
  onRetry: () => void;
}

/** Stands where the picture would be, with a way to load it again. */
export function MediaFailed({ failure, refused, onRetry }: Props) {
  if (failure.kind === "notReached") return <ProblemPanel error={failure.error} onRetry={onRetry} />;
  return (
    <ErrorBanner title={refused.title} detail={refused.next}>
      <Button size="xs" variant="default" onClick={onRetry}>
        {texts.stage.retry}
      </Button>
    </ErrorBanner>
  );
}
