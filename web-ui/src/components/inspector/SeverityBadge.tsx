import { Badge } from "@mantine/core";

const COLORS: Record<string, string> = { low: "gray", medium: "yellow", high: "red" };

/** How much a warning matters, as a word. */
export function SeverityBadge({ severity }: { severity: string }) {
  return (
    <Badge
      size="xs"
      variant="light"
      tt="none"
      color={COLORS[severity] ?? "gray"}
      autoContrast
      flex="0 0 auto"
      w={58}
      mt={1}
    >
      {severity}
    </Badge>
  );
}
