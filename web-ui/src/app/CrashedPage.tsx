import { Alert, Button, Stack } from "@mantine/core";
import { useRouteError } from "react-router";

import { texts } from "@/lib/texts";

/** What is shown in place of a page whose code failed. */
export function CrashedPage() {
  const error = useRouteError();
  return (
    <Alert color="red" title={texts.crashed.title} role="alert">
      <Stack align="flex-start">
        {texts.crashed.next}
        {error instanceof Error ? <code>{error.message}</code> : null}
        <Button variant="default" onClick={() => globalThis.location.reload()}>
          {texts.crashed.reload}
        </Button>
      </Stack>
    </Alert>
  );
}
