import { Title } from "@mantine/core";

import { texts } from "@/lib/texts";

/** Devices. */
export function DevicesPage() {
  return <Title order={1}>{texts.pages.devices}</Title>;
}
