import { useCallback, useState } from "react";

import { RequestFailed, UNREACHABLE } from "@/lib/problem";

import { askPlayable } from "../api/playable";

/** Why media cannot be shown: the browser refuses to play them, or they did not arrive. */
export type MediaFailure = { kind: "refused" } | { kind: "notReached"; error: RequestFailed };

const MEDIA_ERR_NETWORK = 2;

/** Tells media that a browser cannot play from media that did not arrive; elements report both alike. */
export function useMediaFailure(jobId: string, broken: { title: string; next: string }) {
  const [failure, setFailure] = useState<MediaFailure | null>(null);
  const [tries, setTries] = useState(0);
  const failed = useCallback(
    async (reported: MediaError | null): Promise<void> => {
      const notReached = new RequestFailed({ status: 0, title: broken.title, detail: broken.next, code: UNREACHABLE });
      const error = await askPlayable(jobId).then(
        () => (reported?.code === MEDIA_ERR_NETWORK ? notReached : null),
        (thrown: unknown) => (thrown instanceof RequestFailed ? thrown : notReached),
      );
      setFailure(error === null ? { kind: "refused" } : { kind: "notReached", error });
    },
    [jobId, broken],
  );
  const retry = useCallback(() => {
    setFailure(null);
    setTries((count) => count + 1);
  }, []);
  return { failure, failed, retry, /** Another number loads the media again. */ tries };
}
