import { Button } from "@mantine/core";

import { ErrorBanner } from "@/components/ErrorBanner";
import { StaleNotice } from "@/components/feedback/StaleNotice";
import { durationText } from "@/lib/format";

import { texts } from "../texts";
import { useRealtime, useRealtimeClient } from "../useRealtime";
import { useStaleSeconds } from "./useStaleSeconds";

/** Says when what is shown is old, and offers to reconnect when the connection will not come back by itself. */
export function ConnectionNotice() {
  const client = useRealtimeClient();
  const { closeReason } = useRealtime();
  const staleS = useStaleSeconds();
  if (closeReason?.kind === "exhausted" || closeReason?.kind === "refused") {
    const detail = closeReason.kind === "refused" ? closeReason.text : texts.closed.exhausted;
    return (
      <ErrorBanner title={texts.closed.title} detail={detail}>
        <Button size="xs" variant="default" onClick={() => client.reconnect()}>
          {texts.closed.reconnect}
        </Button>
      </ErrorBanner>
    );
  }
  return staleS === null ? null : <StaleNotice text={texts.stale(durationText(staleS))} />;
}
