import { Anchor, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";

import { texts } from "@/lib/texts";

/** What an unknown address shows. */
export function NotFoundPage() {
  return (
    <Stack>
      <Title order={1}>{texts.notFound.title}</Title>
      <Text>{texts.notFound.next}</Text>
      <Anchor component={Link} to="/">
        {texts.pages.analyze}
      </Anchor>
    </Stack>
  );
}
