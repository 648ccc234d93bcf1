import { Title } from "@mantine/core";

import { texts } from "@/lib/texts";

/** Plugins. */
export function PluginsPage() {
  return <Title order={1}>{texts.pages.plugins}</Title>;
}
