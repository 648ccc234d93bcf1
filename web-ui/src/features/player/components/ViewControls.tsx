import { Group, Switch } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconArrowsMaximize, IconCheck, IconLink, IconZoomIn, IconZoomOut } from "@tabler/icons-react";

import type { ReviewSession } from "../engine/ReviewSession";
import { WHOLE } from "../engine/view";
import { useReview } from "../hooks/useReview";
import { texts } from "../texts";
import { TransportButton } from "./TransportButton";

const STEP = 1.4;
const SIZE = 18;

interface Props {
  session: ReviewSession;
  /** Returns the address that shows a frame. */
  addressOf: (frame: number) => string;
}

/** What is drawn, how large, and a link to it. */
export function ViewControls({ session, addressOf }: Props) {
  const look = useReview(session, (state) => state.look);
  const frame = useReview(session, (state) => state.frame);
  const clipboard = useClipboard();
  return (
    <Group gap="md" justify="space-between">
      <Group gap="md">
        <Switch
          id="toggle-boxes"
          label={texts.look.boxes}
          size="sm"
          checked={look.boxes}
          onChange={(event) => session.setLook({ ...look, boxes: event.currentTarget.checked })}
        />
        <Switch
          id="toggle-labels"
          label={texts.look.labels}
          size="sm"
          checked={look.labels}
          onChange={(event) => session.setLook({ ...look, labels: event.currentTarget.checked })}
        />
      </Group>
      <Group gap={2}>
        <TransportButton label={texts.transport.zoomOut} onClick={() => session.zoom(1 / STEP)}>
          <IconZoomOut size={SIZE} />
        </TransportButton>
        <TransportButton label={texts.transport.zoomIn} onClick={() => session.zoom(STEP)}>
          <IconZoomIn size={SIZE} />
        </TransportButton>
        <TransportButton label={texts.transport.zoomReset} onClick={() => session.setView(WHOLE)}>
          <IconArrowsMaximize size={SIZE} />
        </TransportButton>
        <TransportButton
          label={clipboard.copied ? texts.transport.copied : texts.transport.link}
          onClick={() => {
            if (frame !== null) clipboard.copy(addressOf(frame));
          }}
          isDisabled={frame === null}
        >
          {clipboard.copied ? <IconCheck size={SIZE} /> : <IconLink size={SIZE} />}
        </TransportButton>
      </Group>
    </Group>
  );
}
