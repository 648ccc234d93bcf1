import { Alert, Progress, Stack, Text } from "@mantine/core";

/** Says that a converted copy is shown. */
export function CopyNote({ text }: { text: string }) {
  return (
    <Alert color="blue" variant="light" py="xs" role="note">
      {text}
    </Alert>
  );
}

interface Props {
  /** Percent; null where it is not known. */
  progress: number | null;
  title: string;
  next: string;
}

/** Media of which a copy is being made. */
export function Making({ progress, title, next }: Props) {
  return (
    <Stack gap="xs" py="xl" maw={520} mx="auto" role="status">
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="dimmed">
        {next}
      </Text>
      <Progress value={progress ?? 100} animated={progress === null} aria-label={title} />
      <Text size="xs" c="dimmed">
        {progress === null ? "" : `${progress}%`}
      </Text>
    </Stack>
  );
}
