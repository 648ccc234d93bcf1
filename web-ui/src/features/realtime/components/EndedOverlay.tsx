import { ErrorBanner } from "@/components/ErrorBanner";
import { PluginInspector } from "@/components/PluginInspector";
import { ProgressBar } from "@/components/ProgressBar";

import { endedBar, endedPlugins } from "../overlayFacts";
import type { EndedFacts } from "../overlayFacts";
import { JobDevice } from "./JobDevice";
import { OverlayLayout } from "./OverlayLayout";

interface Props {
  facts: EndedFacts;
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** The overlay of an ended job: the same parts, from the record. */
export function EndedOverlay({ facts, onFrame }: Props) {
  const { device, error } = facts;
  return (
    <OverlayLayout
      bar={<ProgressBar id="progress-bar" {...endedBar(facts)} />}
      notices={error === null ? null : <ErrorBanner title={error.title} detail={error.detail} />}
      inspector={<PluginInspector plugins={endedPlugins(facts)} warnings={facts.warnings} onFrame={onFrame} />}
      device={<JobDevice device={device} />}
    />
  );
}
