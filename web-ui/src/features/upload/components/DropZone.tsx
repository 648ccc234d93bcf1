import "@mantine/dropzone/styles.css";

import { Button, Group, Text, ThemeIcon } from "@mantine/core";
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
      classNames={{ inner: classes.inner }}
      data-small={isSmall || undefined}
      // The button inside is for the keyboard; its click rises to the zone, which opens the dialogue.
      role="group"
      aria-label={texts.files.drop}
      tabIndex={-1}
      activateOnKeyboard={false}
      inputProps={{ "aria-label": texts.files.drop }}
    >
      <ThemeIcon size={isSmall ? 36 : 52} radius="xl" variant="light">
        <IconUpload size={isSmall ? 20 : 26} aria-hidden />
      </ThemeIcon>
      <div>
        <Group gap="xs">
          <Text fw={600} size={isSmall ? "sm" : "lg"}>
            {isSmall ? texts.files.dropMore : texts.files.drop}
          </Text>
          <Button size="compact-sm" variant="default">
            {texts.files.browse}
          </Button>
        </Group>
        <Text size="xs" c="dimmed" mt={6}>
          {texts.files.kinds}
          {limit === null ? "" : `; ${texts.files.limit(limit)}`}
        </Text>
      </div>
    </Dropzone>
  );
}
