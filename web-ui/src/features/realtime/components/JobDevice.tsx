import { DeviceIndicator } from "@/components/DeviceIndicator";

import type { DeviceFacts } from "../overlayFacts";

/** The device of a job, and why it is not the preferred one; nothing before the job has begun. */
export function JobDevice({ device }: { device: DeviceFacts }) {
  if (device.used === null) return null;
  return (
    <DeviceIndicator
      name={device.used.toUpperCase()}
      fallback={device.fallback ? { reason: device.fallbackReason } : null}
    />
  );
}
