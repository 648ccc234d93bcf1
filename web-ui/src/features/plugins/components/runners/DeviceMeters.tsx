import { DeviceIndicator } from "@/components/DeviceIndicator";

import type { Device } from "../../api/runners";

/** How much of a device is used. */
export function DeviceMeters({ device }: { device: Device }) {
  const used = device.memory_used_bytes ?? null;
  const total = device.memory_total_bytes ?? null;
  return (
    <DeviceIndicator
      name={nameOf(device)}
      usage={device.utilisation_ratio ?? null}
      memory={used === null || total === null || total === 0 ? null : { usedBytes: used, totalBytes: total }}
    />
  );
}

function nameOf({ name, kind }: Device): string {
  return name.toLowerCase() === kind ? kind.toUpperCase() : name;
}
