import { Badge } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconHelpCircle,
  IconPlayerPlay,
  IconPlayerStop,
} from "@tabler/icons-react";

const LOOKS = {
  pending: { color: "gray", Icon: IconClock },
  running: { color: "blue", Icon: IconPlayerPlay },
  completed: { color: "green", Icon: IconCircleCheck },
  failed: { color: "red", Icon: IconCircleX },
  cancelled: { color: "gray", Icon: IconPlayerStop },
  started: { color: "blue", Icon: IconPlayerPlay },
  degraded: { color: "yellow", Icon: IconAlertTriangle },
  loaded: { color: "gray", Icon: IconClock },
  initialized: { color: "green", Icon: IconCircleCheck },
  unavailable: { color: "yellow", Icon: IconAlertTriangle },
  alive: { color: "green", Icon: IconCircleCheck },
  draining: { color: "yellow", Icon: IconClock },
  lost: { color: "red", Icon: IconCircleX },
  unknown: { color: "gray", Icon: IconHelpCircle },
} as const;

function lookOf(status: string) {
  const key = status.toLowerCase();
  return key in LOOKS ? LOOKS[key as keyof typeof LOOKS] : LOOKS.unknown;
}

/** The status of a job, the state of a plugin or of a runner: a word and a sign, so that no reader needs the colour. */
export function StatusBadge({ status }: { status: string }) {
  const { color, Icon } = lookOf(status);
  return (
    <Badge
      color={color}
      variant="light"
      c="var(--mantine-color-text)"
      autoContrast
      leftSection={<Icon size={12} aria-hidden />}
      tt="none"
      data-status={status.toLowerCase()}
    >
      {status}
    </Badge>
  );
}
