import { Box, Loader, Text } from "@mantine/core";
import { useEffect, useRef } from "react";

import type { ReviewSession } from "../engine/ReviewSession";
import { useReview } from "../hooks/useReview";
import { useZoomAndPan } from "../hooks/useZoomAndPan";
import { texts } from "../texts";
import classes from "./PlayerStage.module.css";

interface Props {
  session: ReviewSession;
  /** The address of the video, with the key where one is needed. */
  src: string;
  /** The video cannot be shown, or no longer. */
  onFailed: (error: MediaError | null) => void;
}

/** The picture and its boxes on one canvas; the video element behind it is not seen. */
export function PlayerStage({ session, src, onFailed }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const isWaiting = useReview(
    session,
    (state) => state.player === null || state.player.isWaiting || !state.player.isReady,
  );
  const frame = useReview(session, (state) => state.frame);
  const isZoomed = useReview(session, (state) => state.view.zoom > 1);

  useEffect(() => {
    if (video.current === null || canvas.current === null || stage.current === null) return undefined;
    const element = stage.current;
    const detach = session.attach(video.current, canvas.current);
    const measure = (): void => session.resize(element.clientWidth, element.clientHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      observer.disconnect();
      detach();
    };
  }, [session, src]);
  useZoomAndPan(session, canvas);

  const { display } = session.size;
  return (
    <Box
      ref={stage}
      className={classes["stage"] ?? ""}
      __vars={{ "--stage-ratio": String(display.width / display.height) }}
    >
      <canvas
        ref={canvas}
        className={classes["canvas"]}
        role="img"
        tabIndex={0}
        aria-label={frame === null ? texts.stage.label : `${texts.stage.label}: frame ${frame}`}
        data-zoomed={isZoomed || undefined}
      />
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
    </Box>
  );
}
