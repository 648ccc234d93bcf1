import { Group, Text } from "@mantine/core";

import { texts } from "../texts";
import type { JobFacts } from "../view/jobFacts";

/** How far a job is, in figures. */
export function JobFigures({ facts }: { facts: JobFacts }) {
  const { currentFrame, totalFrames, toolsCompleted, toolsTotal } = facts;
  return (
    <Group gap="md">
      {currentFrame === null ? null : (
        <Text size="xs" c="dimmed">
          {texts.job.frame(currentFrame, totalFrames)}
        </Text>
      )}
      {toolsTotal === null ? null : (
        <Text size="xs" c="dimmed">
          {texts.job.tool(Math.min(toolsTotal, toolsCompleted + 1), toolsTotal)}
        </Text>
      )}
    </Group>
  );
}
