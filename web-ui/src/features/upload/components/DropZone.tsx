import "@mantine/dropzone/styles.css";

import { Group, Text, ThemeIcon } from "@mantine/core";
import { Dropzone } from "@mantine/dropzone";
import { IconUpload } from "@tabler/icons-react";

import { texts } from "../texts";
import classes from "./DropZone.module.css";

interface Props {
  onFiles: (files: File[]) => void;
  /** What the server takes at most, in words; null until it answered. */
  limit: string | null;
  /** Less high, because files are already chosen. */
  isSmall: boolean;
}

/** Where files are dropped or chosen. Takes everything: what cannot be used is told at the file. */
export default function DropZone({ onFiles, limit, isSmall }: Props) {
  return (
    <Dropzone
      onDrop={onFiles}
      className={classes.zone}
      data-small={isSmall || undefined}
      aria-label={isSmall ? texts.files.another : `${texts.files.drop}, ${texts.files.browse}`}
      role="button"
      inputProps={{ "aria-label": texts.files.drop }}
    >
      <Group gap="md" wrap="nowrap" className={classes.inner}>
        <ThemeIcon size={isSmall ? 36 : 52} radius="xl" variant="light">
          <IconUpload size={isSmall ? 20 : 26} aria-hidden />
        </ThemeIcon>
        <div>
          <Text fw={600} size={isSmall ? "sm" : "lg"}>
            {isSmall ? texts.files.another : texts.files.drop}
          </Text>
          {isSmall ? null : (
            <Text size="sm" c="dimmed">
              {texts.files.browse}
            </Text>
          )}
          <Text size="xs" c="dimmed" mt={4}>
            {texts.files.kinds}
            {limit === null ? "" : `; ${texts.files.limit(limit)}`}
          </Text>
        </div>
      </Group>
    </Dropzone>
  );
}
