import { Alert, Progress, Stack, Text } from "@mantine/core";

import { ProblemPanel } from "@/components/feedback/ProblemPanel";
import { Spinner } from "@/components/Spinner";

import { useFrameTable } from "../api/frames";
import { usePlayable } from "../api/playable";
import { texts } from "../texts";
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

  const failed = [playable, table].find((query) => query.error !== null);
  if (failed !== undefined) return <ProblemPanel error={failed.error} onRetry={() => void failed.refetch()} />;
  const making = [playable.data, table.data].find((made) => made?.state === "making");
  if (making?.state === "making") return <Making progress={making.progress} />;
  if (media === null || table.data?.state !== "ready") return <Spinner label={texts.loading} />;
  return (
    <Stack gap="xs">
      {media.isCopy ? (
        <Alert color="blue" variant="light" py="xs" role="note">
          {texts.copy}
        </Alert>
      ) : null}
      <ReadyReview key={job.id} job={job} table={table.data.thing} wanted={wanted} addressOf={addressOf} />
    </Stack>
  );
}

function Making({ progress }: { progress: number | null }) {
  return (
    <Stack gap="xs" py="xl" maw={520} mx="auto" role="status">
      <Text fw={600}>{texts.making.title}</Text>
      <Text size="sm" c="dimmed">
        {texts.making.next}
      </Text>
      <Progress value={progress ?? 100} animated={progress === null} aria-label={texts.making.title} />
      <Text size="xs" c="dimmed">
        {progress === null ? "" : `${progress}%`}
      </Text>
    </Stack>
  );
}
