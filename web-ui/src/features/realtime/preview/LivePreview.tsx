import { Group, Paper, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import { DrawToggles } from "@/components/controls/DrawToggles";
import { MOST_PICTURES_PER_SECOND, PreviewRate } from "@/components/controls/PreviewRate";
import { useDrawChoices } from "@/components/controls/useDrawChoices";

import { onlyTool } from "../overlayFacts";
import { texts } from "../texts";
import { useRealtime, useRealtimeClient } from "../useRealtime";
import { FramePainter } from "./FramePainter";
import { hasField, LiveField } from "./LiveField";
import classes from "./LivePreview.module.css";

interface Props {
  /** The job's tools, as its record says. */
  tools?: readonly string[] | undefined;
}

/** The newest picture of a running job with its boxes, and the controls of what is drawn. */
export function LivePreview({ tools }: Props) {
  const client = useRealtimeClient();
  const job = useRealtime();
  const hasPicture = job.currentFrame !== null;
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<FramePainter | null>(null);
  const [choices, choose] = useDrawChoices();
  const [rate, setRate] = useState(MOST_PICTURES_PER_SECOND);
  const { boxes, labels } = choices;
  const tool = onlyTool(job, tools);

  useEffect(() => {
    if (canvas.current === null) return undefined;
    const own = new FramePainter(canvas.current, { boxes: true, labels: true, rate: MOST_PICTURES_PER_SECOND });
    painter.current = own;
    const showNewest = () => {
      const { currentFrame } = client.getSnapshot();
      if (currentFrame !== null) own.show(currentFrame);
    };
    showNewest();
    const unsubscribe = client.subscribe(showNewest);
    return () => {
      unsubscribe();
      own.stop();
    };
  }, [client]);

  useEffect(() => painter.current?.setLook({ boxes, labels, rate, tool }), [boxes, labels, rate, tool]);

  return (
    <Paper withBorder className={classes.panel}>
      <div className={classes.stage}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={texts.preview.none}
          className={hasPicture ? classes.canvas : classes.empty}
        />
        {hasPicture ? null : (
          <Text size="sm" className={classes.waiting}>
            {job.connectionState === "CLOSED" ? texts.preview.closed : texts.preview.waiting}
          </Text>
        )}
      </div>
      <Group justify="space-between" gap="sm" p="sm">
        <DrawToggles value={choices} onChange={choose} has={hasField(job)} />
        <PreviewRate value={rate} onChange={setRate} />
      </Group>
      <LiveField job={job} shows={choices} />
    </Paper>
  );
}
