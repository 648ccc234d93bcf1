import { EndedOverlay } from "./components/EndedOverlay";
import { LiveOverlay } from "./components/LiveOverlay";
import type { EndedFacts } from "./overlayFacts";

interface Props {
  /** Given for an ended job: all is shown from the record, and nothing asks for a connection. */
  endedFacts?: EndedFacts | undefined;
  /** Makes the frames of warnings into links. */
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** A job at a glance: progress, newest picture with its boxes, plugins, timings and warnings. */
export function RealtimeOverlay({ endedFacts, onFrame }: Props) {
  return endedFacts === undefined ? (
    <LiveOverlay onFrame={onFrame} />
  ) : (
    <EndedOverlay facts={endedFacts} onFrame={onFrame} />
  );
}
