import { Alert } from "@mantine/core";

/** The stale state of a screen: what is shown is old, and since when. */
export function StaleNotice({ text }: { text: string }) {
  return (
    <Alert role="status" color="yellow" variant="light" py="xs">
      {text}
    </Alert>
  );
}
