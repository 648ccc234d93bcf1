import { Stack } from "@mantine/core";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { Spinner } from "@/components/Spinner";

import { useFrameTable } from "../api/frames";
import { usePlayable } from "../api/playable";
import { useFailed } from "../hooks/useFailed";
import { texts } from "../texts";
import { CopyNote, Making } from "./Making";
import { ReadyReview, type ReviewedJob } from "./ReadyReview";

interface Props {
  job: ReviewedJob;
  /** The frame to show; another object shows it again. */
  wanted: { frame: number };
  addressOf: (frame: number) => string;
}

/** The review of a video: waits for the media and its table of frames, then plays. */
export function VideoReview({ job, wanted, addressOf }: Props) {
  const playable = usePlayable(job.id);
  const media = playable.data?.state === "ready" ? playable.data.thing : null;
  const table = useFrameTable(job.id, media?.isCopy === true ? "playable" : "input", media !== null);

  const { error, retry } = useFailed(playable, table);
  if (error !== null) return <ProblemPanel isPolled error={error} onRetry={retry} />;
  if (playable.data?.state === "making") return <Making progress={playable.data.progress} {...texts.making} />;
  if (table.data?.state === "making") return <Making progress={table.data.progress} {...texts.counting} />;
  if (media === null || table.data?.state !== "ready") return <Spinner label={texts.loading} />;
  return (
    <Stack gap="xs">
      {media.isCopy ? <CopyNote text={texts.copy} /> : null}
      <ReadyReview key={job.id} job={job} table={table.data.thing} wanted={wanted} addressOf={addressOf} />
    </Stack>
  );
}
