import { DevicesScreen } from "@/features/plugins/components/runners/DevicesScreen";
import { texts } from "@/lib/texts";

/** Devices. */
export function DevicesPage() {
  return <DevicesScreen title={texts.pages.devices} />;
}
