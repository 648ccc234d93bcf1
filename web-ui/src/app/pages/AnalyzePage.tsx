import { Title } from "@mantine/core";

import { texts } from "@/lib/texts";

/** Analyze. */
export function AnalyzePage() {
  return <Title order={1}>{texts.pages.analyze}</Title>;
}
