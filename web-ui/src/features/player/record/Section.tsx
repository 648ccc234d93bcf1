import { Card, Group, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  /** Stands right of the title. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled card beside the player. */
export function Section({ title, aside, children }: Props) {
  return (
    <Card withBorder padding="md" component="section" aria-label={title}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h6">
          {title}
        </Title>
        {aside}
      </Group>
      {children}
    </Card>
  );
}
