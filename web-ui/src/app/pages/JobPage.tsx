import { Title } from "@mantine/core";

import { texts } from "@/lib/texts";

/** Job. */
export function JobPage() {
  return <Title order={1}>{texts.pages.job}</Title>;
}
