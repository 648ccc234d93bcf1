import { Button, Paper, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { texts } from "../texts";
import classes from "./SubmitBar.module.css";

interface Props {
  count: number;
  isBusy: boolean;
  /** Why nothing can be sent; null when something can. */
  blocked: string | null;
  summary: string;
  onSubmit: () => void;
  /** The device. */
  children: ReactNode;
}

/** Where to run, what will happen, and the button that starts it. */
export function SubmitBar({ count, isBusy, blocked, summary, onSubmit, children }: Props) {
  const said = isBusy ? texts.submit.busy : blocked;
  return (
    <Paper withBorder p="md" className={classes.bar}>
      <div className={classes.device}>{children}</div>
      <div className={classes.act}>
        <Text size="sm" c="dimmed" role="status">
          {said ?? summary}
        </Text>
        <Button
          size="md"
          leftSection={<IconPlayerPlay size={18} aria-hidden />}
          disabled={said !== null}
          loading={isBusy}
          onClick={onSubmit}
        >
          {texts.submit.label(count)}
        </Button>
      </div>
    </Paper>
  );
}
