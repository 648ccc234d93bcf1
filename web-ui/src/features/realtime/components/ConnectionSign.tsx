import { Badge } from "@mantine/core";
import {
  IconCircleX,
  IconPlayerStop,
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

interface Props {
  state: ConnectionState;
  hasEnded: boolean;
  /** A new try after a failure is still reconnecting to the reader. */
  isRetry: boolean;
}

/** How the connection is, in a word and a sign. */
export function ConnectionSign({ state, hasEnded, isRetry }: Props) {
  const shown = state === "CONNECTING" && isRetry ? "RECONNECTING" : state;
  const { color, Icon } = hasEnded ? { color: "gray", Icon: IconPlayerStop } : LOOKS[shown];
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
      {hasEnded ? texts.hasEnded : texts.connection[shown]}
    </Badge>
  );
}
