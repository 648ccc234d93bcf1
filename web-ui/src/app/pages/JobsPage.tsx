import { Title } from "@mantine/core";

import { texts } from "@/lib/texts";

/** Jobs. */
export function JobsPage() {
  return <Title order={1}>{texts.pages.jobs}</Title>;
}
