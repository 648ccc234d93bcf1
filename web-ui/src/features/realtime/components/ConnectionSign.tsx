import { Badge } from "@mantine/core";
import {
  IconCircleCheck,
  IconCircleX,
  IconPlugConnected,
  IconPlugConnectedX,
  IconRefresh,
  IconWifi,
} from "@tabler/icons-react";

import type { ConnectionState } from "../connection/states";
import { texts } from "../texts";

const LOOKS: Record<ConnectionState, { color: string; Icon: typeof IconWifi }> = {
  IDLE: { color: "gray", Icon: IconPlugConnectedX },
  CONNECTING: { color: "blue", Icon: IconPlugConnected },
  CONNECTED: { color: "green", Icon: IconWifi },
  DISCONNECTED: { color: "yellow", Icon: IconPlugConnectedX },
  RECONNECTING: { color: "yellow", Icon: IconRefresh },
  CLOSED: { color: "red", Icon: IconCircleX },
};

/** How the connection is, in a word and a sign. */
export function ConnectionSign({ state, hasEnded }: { state: ConnectionState; hasEnded: boolean }) {
  const { color, Icon } = hasEnded ? { color: "gray", Icon: IconCircleCheck } : LOOKS[state];
  return (
    <Badge
      role="status"
      aria-live="polite"
      data-connection={state}
      variant="light"
      color={color}
      autoContrast
      tt="none"
      leftSection={<Icon size={13} aria-hidden />}
    >
      {hasEnded ? "Ended" : texts.connection[state]}
    </Badge>
  );
}
