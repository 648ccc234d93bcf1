import { Button, Paper, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";

import { texts } from "../texts";
import classes from "./SubmitBar.module.css";

interface Props {
  count: number;
  isBusy: boolean;
  /** Why nothing can be sent; null when something can. */
  blocked: string | null;
  /** Whether options are marked as wrong; pressing the button leads to them. */
  isWrong: boolean;
  summary: string;
  onSubmit: () => void;
}

/** What will happen, and the button that starts it; always in sight. */
export function SubmitBar({ count, isBusy, blocked, isWrong, summary, onSubmit }: Props) {
  const said = isBusy ? texts.submit.busy : blocked;
  return (
    <Paper withBorder p="sm" className={classes.bar}>
      <Text size="sm" role="status" className={classes.said}>
        {said ?? (isWrong ? texts.submit.wrongOptions : summary)}
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
    </Paper>
  );
}
