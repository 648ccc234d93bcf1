import { Group } from "@mantine/core";
import { IconArrowsMaximize, IconCheck, IconLink, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { useEffect } from "react";

import { DrawToggles } from "@/components/controls/DrawToggles";
import { useDrawChoices } from "@/components/controls/useDrawChoices";

import type { ReviewSession } from "../engine/ReviewSession";
import { WHOLE } from "../engine/view";
import { useFrameLink } from "../hooks/useFrameLink";
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
  const [look, setLook] = useDrawChoices();
  const has = useReview(session, (state) => state.has);
  const frame = useReview(session, (state) => state.frame);
  const link = useFrameLink(addressOf);
  const { boxes, labels, pitch, radar } = look;
  useEffect(() => session.setLook({ boxes, labels, pitch, radar }), [session, boxes, labels, pitch, radar]);
  return (
    <Group gap="md" justify="space-between">
      <DrawToggles value={look} onChange={setLook} has={has} />
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
          label={texts.transport[link.made ?? "link"]}
          onClick={() => {
            if (frame !== null) void link.make(frame);
          }}
          isDisabled={frame === null}
        >
          {link.made === null ? <IconLink size={SIZE} /> : <IconCheck size={SIZE} />}
        </TransportButton>
      </Group>
    </Group>
  );
}
