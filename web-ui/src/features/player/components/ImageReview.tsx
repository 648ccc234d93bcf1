import { Box, Stack } from "@mantine/core";
import { useEffect, useMemo, useRef } from "react";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { Spinner } from "@/components/Spinner";

import { useFrameTable } from "../api/frames";
import { playableAddress, usePlayable } from "../api/playable";
import { rowsOf } from "../api/rows";
import type { FrameTable } from "../engine/FrameTable";
import { ReviewSession } from "../engine/ReviewSession";
import { useMediaFailure } from "../hooks/useMediaFailure";
import { useReview } from "../hooks/useReview";
import { useZoomKeys } from "../hooks/useReviewKeys";
import { useZoomAndPan } from "../hooks/useZoomAndPan";
import { texts } from "../texts";
import { CopyNote, Making } from "./Making";
import { MediaFailed } from "./MediaFailed";
import classes from "./PlayerStage.module.css";
import type { ReviewedJob } from "./ReadyReview";
import { ViewControls } from "./ViewControls";

interface Props {
  job: ReviewedJob;
  addressOf: (frame: number) => string;
}

/** The review of an image: its picture with boxes, to look at closely. */
export function ImageReview({ job, addressOf }: Props) {
  const playable = usePlayable(job.id);
  const table = useFrameTable(job.id, "input", true);
  const failed = [playable, table].find((query) => query.error !== null);
  if (failed !== undefined) return <ProblemPanel error={failed.error} onRetry={() => void failed.refetch()} />;
  const making = [playable.data, table.data].find((made) => made?.state === "making");
  if (making?.state === "making") return <Making progress={making.progress} {...texts.image.making} />;
  if (playable.data?.state !== "ready" || table.data?.state !== "ready") return <Spinner label={texts.image.loading} />;
  return (
    <Stack gap="xs">
      {playable.data.thing.isCopy ? <CopyNote text={texts.image.copy} /> : null}
      <ReadyImage job={job} table={table.data.thing} addressOf={addressOf} />
    </Stack>
  );
}

function ReadyImage({ job, table, addressOf }: Props & { table: FrameTable }) {
  const tools = job.tools.join(" ");
  const session = useMemo(
    () =>
      new ReviewSession(table, tools.split(" "), rowsOf(job.id), {
        unknown: texts.stage.unknown,
        notLoaded: texts.stage.notLoaded,
      }),
    [table, tools, job.id],
  );
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { failure, failed, retry, tries } = useMediaFailure(job.id, texts.stage.imageBroken);
  const src = useMemo(() => playableAddress(job.id), [job.id]);

  useEffect(() => {
    if (canvas.current === null || stage.current === null) return undefined;
    const element = stage.current;
    const image = new Image();
    image.addEventListener("error", () => void failed(null));
    image.src = src;
    const detach = session.attachImage(image, canvas.current);
    const measure = (): void => session.resize(element.clientWidth, element.clientHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      observer.disconnect();
      detach();
    };
  }, [session, src, failed, tries]);
  useZoomAndPan(session, canvas);
  useZoomKeys(session);
  const isZoomed = useReview(session, (state) => state.view.zoom > 1);

  if (failure !== null) return <MediaFailed failure={failure} refused={texts.stage.imageRefused} onRetry={retry} />;
  const { display } = session.size;
  return (
    <Stack gap="sm">
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
          aria-label={texts.stage.label}
          data-zoomed={isZoomed || undefined}
        />
      </Box>
      <ViewControls session={session} addressOf={addressOf} />
    </Stack>
  );
}
