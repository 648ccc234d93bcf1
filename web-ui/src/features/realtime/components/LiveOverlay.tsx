import { Stack } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";
import { PluginInspector } from "@/components/PluginInspector";
import { ProgressBar } from "@/components/ProgressBar";

import { liveBar, livePlugins, liveWarnings } from "../overlayFacts";
import type { DeviceFacts } from "../overlayFacts";
import { LivePreview } from "../preview/LivePreview";
import { useRealtime } from "../useRealtime";
import { ConnectionNotice } from "./ConnectionNotice";
import { ConnectionSign } from "./ConnectionSign";
import { JobDevice } from "./JobDevice";
import { OverlayLayout } from "./OverlayLayout";

interface Props {
  device?: DeviceFacts | undefined;
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** The overlay of a job that waits or runs. */
export function LiveOverlay({ device, onFrame }: Props) {
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
      bar={<ProgressBar id="progress-bar" {...liveBar(job)} />}
      notices={
        <>
          <ConnectionNotice />
          {job.errors.length === 0 ? null : (
            <Stack gap="xs">
              {job.errors.map((error) => (
                <ErrorBanner key={error.details.message} title={error.error} detail={error.details.message} />
              ))}
            </Stack>
          )}
        </>
      }
      picture={<LivePreview />}
      inspector={
        <PluginInspector
          plugins={livePlugins(job)}
          warnings={liveWarnings(job)}
          omittedWarnings={job.earlierWarnings}
          onFrame={onFrame}
        />
      }
      device={device === undefined ? null : <JobDevice device={device} />}
    />
  );
}
