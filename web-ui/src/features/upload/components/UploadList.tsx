import { Stack } from "@mantine/core";

import type { Upload } from "../queue/UploadQueue";
import { texts } from "../texts";
import classes from "./UploadList.module.css";
import { UploadRow } from "./UploadRow";

interface Props {
  uploads: readonly Upload[];
  /** Why a file is not sent; null when it is. */
  refusalOf: (upload: Upload) => string | null;
  /** Sends a cancelled file after all; null while nothing can be sent. */
  onAgain: ((id: number) => void) | null;
  onCancel: (id: number) => void;
  onRemove: (id: number) => void;
}

/** The chosen files. */
export function UploadList({ uploads, refusalOf, onAgain, onCancel, onRemove }: Props) {
  return (
    <Stack component="ul" gap="xs" className={classes.list} aria-label={texts.files.list}>
      {uploads.map((upload) => (
        <UploadRow
          key={upload.id}
          upload={upload}
          refusal={refusalOf(upload)}
          onAgain={onAgain}
          onCancel={onCancel}
          onRemove={onRemove}
        />
      ))}
    </Stack>
  );
}
