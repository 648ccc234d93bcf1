import { Skeleton, Stack } from "@mantine/core";
import { lazy, Suspense } from "react";

import { bytesText } from "@/lib/format";

import type { Upload, UploadQueue } from "../queue/UploadQueue";
import { texts } from "../texts";
import { Part } from "./Part";
import { UploadList } from "./UploadList";

const DropZone = lazy(() => import("./DropZone"));

interface Props {
  queue: UploadQueue;
  uploads: readonly Upload[];
  /** The most bytes that the server takes; null until it answered. */
  limit: number | null;
  refusalOf: (upload: Upload) => string | null;
  /** Sends a cancelled file after all; null while nothing can be sent. */
  onAgain: ((id: number) => void) | null;
}

/** The drop zone and what was dropped. */
export function FilesPart({ queue, uploads, limit, refusalOf, onAgain }: Props) {
  return (
    <Part title={texts.files.title}>
      <Stack gap="sm">
        <Suspense fallback={<Skeleton h={190} role="status" aria-label={texts.files.loading} />}>
          <DropZone
            onFiles={(files) => queue.add(files)}
            limit={limit === null ? null : bytesText(limit)}
            isSmall={uploads.length > 0}
          />
        </Suspense>
        {uploads.length === 0 ? null : (
          <UploadList
            uploads={uploads}
            refusalOf={refusalOf}
            onAgain={onAgain}
            onCancel={(id) => queue.cancel(id)}
            onRemove={(id) => queue.remove(id)}
          />
        )}
      </Stack>
    </Part>
  );
}
