import { Stack } from "@mantine/core";
import { useCallback, useMemo } from "react";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { Spinner } from "@/components/Spinner";

import { useFrameTable } from "../api/frames";
import { playableAddress, usePlayable } from "../api/playable";
import { rowsOf } from "../api/rows";
import type { FrameTable } from "../engine/FrameTable";
import { ReviewSession } from "../engine/ReviewSession";
import { useFailed } from "../hooks/useFailed";
import { useMediaFailure } from "../hooks/useMediaFailure";
import { useZoomKeys } from "../hooks/useReviewKeys";
import { texts } from "../texts";
import { CopyNote, Making } from "./Making";
import { MediaFailed } from "./MediaFailed";
import type { ReviewedJob } from "./ReadyReview";
import { ViewControls } from "./ViewControls";
import { ZoomableStage } from "./ZoomableStage";

interface Props {
  job: ReviewedJob;
  addressOf: (frame: number) => string;
}

/** The review of an image: its picture with boxes, to look at closely. */
export function ImageReview({ job, addressOf }: Props) {
  const playable = usePlayable(job.id);
  const table = useFrameTable(job.id, "input", true);
  const { error, retry } = useFailed(playable, table);
  if (error !== null) return <ProblemPanel isPolled error={error} onRetry={retry} />;
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
  const { failure, failed, retry } = useMediaFailure(job.id, texts.stage.imageBroken);
  const src = useMemo(() => playableAddress(job.id), [job.id]);
  const attach = useCallback(
    (canvas: HTMLCanvasElement) => {
      const image = new Image();
      image.addEventListener("error", () => void failed(null));
      image.src = src;
      return session.attachImage(image, canvas);
    },
    [session, src, failed],
  );
  useZoomKeys(session);

  if (failure !== null) return <MediaFailed failure={failure} refused={texts.stage.imageRefused} onRetry={retry} />;
  return (
    <Stack gap="sm">
      <ZoomableStage session={session} label={texts.stage.label} attach={attach} />
      <ViewControls session={session} addressOf={addressOf} />
    </Stack>
  );
}
