import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** The empty state of a screen: what is missing, and how to get it. */
export function EmptyState({ title, next, children }: { title: string; next: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" ta="center">
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text c="dimmed" maw={520}>
        {next}
      </Text>
      {children}
    </Stack>
  );
}
