import { Badge, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";

import { msText } from "@/lib/format";

/** The latest frame against what the plugin promises; says it in words, not by colour alone. */
export function LatencyBudget({ totalMs, budgetMs }: { totalMs: number | null; budgetMs: number | null | undefined }) {
  if (totalMs === null) return null;
  if (budgetMs === null || budgetMs === undefined) {
    return (
      <Text size="xs" c="dimmed">
        {msText(totalMs)} for the last frame{budgetMs === null ? ", no budget promised" : ""}
      </Text>
    );
  }
  const isOver = totalMs > budgetMs;
  const Icon = isOver ? IconAlertTriangle : IconCheck;
  return (
    <Group gap="xs">
      <Text size="xs">
        {msText(totalMs)} of a budget of {msText(budgetMs)}
      </Text>
      <Badge
        size="sm"
        variant="light"
        tt="none"
        color={isOver ? "yellow" : "green"}
        leftSection={<Icon size={11} aria-hidden />}
      >
        {isOver ? "over budget" : "within budget"}
      </Badge>
    </Group>
  );
}
