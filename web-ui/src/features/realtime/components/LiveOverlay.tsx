import type { ReactNode } from "react";

import { PluginInspector } from "@/components/PluginInspector";
import { ProgressBar } from "@/components/ProgressBar";

import { liveBar, livePlugins, liveWarnings } from "../overlayFacts";
import type { DeviceFacts, LiveRecord, RecordedPlugin } from "../overlayFacts";
import { LivePreview } from "../preview/LivePreview";
import { useRealtime } from "../useRealtime";
import { ConnectionNotice } from "./ConnectionNotice";
import { ConnectionSign } from "./ConnectionSign";
import { JobDevice } from "./JobDevice";
import { JobErrors } from "./JobErrors";
import { OverlayLayout } from "./OverlayLayout";

interface Props {
  device?: DeviceFacts | undefined;
  plugin?: RecordedPlugin | undefined;
  status?: ReactNode;
  record?: LiveRecord | undefined;
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** The overlay of a job that waits or runs. */
export function LiveOverlay({ device, plugin, status, record, onFrame }: Props) {
  const job = useRealtime();
  return (
    <OverlayLayout
      sign={
        <ConnectionSign
          state={job.connectionState}
          hasEnded={job.closeReason?.kind === "ended"}
          isRetry={job.failedTries > 0}
        />
      }
      status={status}
      bar={<ProgressBar id="progress-bar" {...liveBar(job, { isFrameTold: status !== undefined, record })} />}
      notices={
        <>
          <ConnectionNotice />
          <JobErrors errors={job.errors} />
        </>
      }
      picture={<LivePreview tools={record?.tools} />}
      inspector={
        <PluginInspector
          plugins={livePlugins(job, plugin, record)}
          warnings={liveWarnings(job)}
          omittedWarnings={job.earlierWarnings}
          onFrame={onFrame}
        />
      }
      device={device === undefined ? null : <JobDevice device={device} />}
    />
  );
}
