import { Alert, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

import classes from "./ErrorBanner.module.css";

interface Props {
  title: string;
  /** What to do next, or what exactly happened. */
  detail?: string | undefined;
  /** Shown below: a button, a link. */
  children?: ReactNode;
  /** Makes the banner dismissable. */
  onDismiss?: (() => void) | undefined;
}

/** A failure that the reader must know of. */
export function ErrorBanner({ title, detail, children, onDismiss }: Props) {
  return (
    <Alert
      role="alert"
      color="red"
      title={title}
      classNames={{ body: classes["body"] ?? "" }}
      withCloseButton={onDismiss !== undefined}
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      <Stack gap="xs" align="flex-start">
        {detail === undefined ? null : <Text size="sm">{detail}</Text>}
        {children}
      </Stack>
    </Alert>
  );
}
