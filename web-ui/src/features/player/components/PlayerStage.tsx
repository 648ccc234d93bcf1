import { Loader, Text } from "@mantine/core";
import { useCallback, useRef } from "react";

import type { ReviewSession } from "../engine/ReviewSession";
import { useReview } from "../hooks/useReview";
import { texts } from "../texts";
import classes from "./PlayerStage.module.css";
import { ZoomableStage } from "./ZoomableStage";

interface Props {
  session: ReviewSession;
  /** The address of the video, with the key where one is needed. */
  src: string;
  /** The video cannot be shown, or no longer. */
  onFailed: (error: MediaError | null) => void;
}

/** The picture and its boxes on one canvas; the video element behind it is not seen. */
export function PlayerStage({ session, src, onFailed }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const isWaiting = useReview(
    session,
    (state) => state.player === null || state.player.isWaiting || !state.player.isReady,
  );
  const frame = useReview(session, (state) => state.frame);
  const attach = useCallback(
    (canvas: HTMLCanvasElement) => (video.current === null ? () => undefined : session.attach(video.current, canvas)),
    [session],
  );

  const label = frame === null ? texts.stage.label : `${texts.stage.label}: frame ${frame}`;
  return (
    <ZoomableStage key={src} session={session} label={label} attach={attach}>
      <video
        ref={video}
        className={classes["video"]}
        src={src}
        muted
        playsInline
        preload="auto"
        tabIndex={-1}
        aria-hidden
        onError={({ currentTarget }) => onFailed(currentTarget.error)}
      />
      {isWaiting ? (
        <Text className={classes["waiting"] ?? ""} size="xs" role="status">
          <Loader size={10} color="gray.4" mr={6} aria-hidden />
          {texts.stage.waiting}
        </Text>
      ) : null}
    </ZoomableStage>
  );
}
