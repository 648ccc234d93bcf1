import { useEffect, useSyncExternalStore } from "react";

import type { Upload, UploadQueue } from "../queue/UploadQueue";

/** The uploads of a queue. While one is on its way, the browser asks before it closes the page. */
export function useUploads(queue: UploadQueue): readonly Upload[] {
  const uploads = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const isBusy = uploads.some((upload) => isUnderway(upload));
  useEffect(() => {
    if (!isBusy) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    globalThis.addEventListener("beforeunload", ask);
    return () => globalThis.removeEventListener("beforeunload", ask);
  }, [isBusy]);
  return uploads;
}

/** Whether an upload was started and has not ended. */
export function isUnderway({ state }: Upload): boolean {
  return state.name === "waiting" || state.name === "sending";
}
