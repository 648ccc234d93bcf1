import type { ReactNode } from "react";

import { EndedOverlay } from "./components/EndedOverlay";
import { LiveOverlay } from "./components/LiveOverlay";
import type { DeviceFacts, EndedFacts, LiveRecord, RecordedPlugin } from "./overlayFacts";

interface Props {
  /** Given for an ended job: all is shown from the record, and nothing asks for a connection. */
  endedFacts?: EndedFacts | undefined;
  /** Where a job that has not ended runs, as its record says. */
  device?: DeviceFacts | undefined;
  /** The plugin of a job that has not ended. */
  plugin?: RecordedPlugin | undefined;
  /** The state of a job that has not ended in words, its frame among them: stands above the bar. */
  status?: ReactNode;
  /** The newest record of a job that has not ended: tells its tools, and how far it is while the connection does not. */
  record?: LiveRecord | undefined;
  /** Makes the frames of warnings into links. */
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** A job at a glance: progress, newest picture with its boxes, plugins, timings and warnings. */
export function RealtimeOverlay({ endedFacts, device, plugin, status, record, onFrame }: Props) {
  return endedFacts === undefined ? (
    <LiveOverlay device={device} plugin={plugin} status={status} record={record} onFrame={onFrame} />
  ) : (
    <EndedOverlay facts={endedFacts} onFrame={onFrame} />
  );
}
