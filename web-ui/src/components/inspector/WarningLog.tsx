import { Anchor, Group, Text, Title } from "@mantine/core";

import { countText } from "@/lib/format";

import type { InspectedWarning } from "./facts";
import { SeverityBadge } from "./SeverityBadge";
import classes from "./WarningLog.module.css";

interface Props {
  warnings: readonly InspectedWarning[];
  omitted: number;
  onFrame?: ((frameIndex: number) => void) | undefined;
}

/** Every warning so far, in a list that scrolls by itself. */
export function WarningLog({ warnings, omitted, onFrame }: Props) {
  const all = warnings.length + omitted;
  return (
    <section>
      <Title order={3} size="h6" mb={6}>
        Warnings ({countText(all)})
      </Title>
      <div className={classes.log} role="log" aria-label="Warnings" tabIndex={0}>
        {all === 0 ? (
          <Text size="xs" c="dimmed">
            None
          </Text>
        ) : null}
        {omitted > 0 ? (
          <Text size="xs" c="dimmed">
            {countText(omitted)} more are in the record of the ended job
          </Text>
        ) : null}
        {warnings.map((warning) => (
          <Group key={warning.index} gap={8} wrap="nowrap" align="flex-start">
            <SeverityBadge severity={warning.severity ?? "medium"} />
            <Text size="xs" className={classes.text}>
              {warning.text} <WarningFrame frameIndex={warning.frameIndex ?? null} onFrame={onFrame} />
            </Text>
          </Group>
        ))}
      </div>
    </section>
  );
}

function WarningFrame({ frameIndex, onFrame }: { frameIndex: number | null } & Pick<Props, "onFrame">) {
  if (frameIndex === null) return null;
  if (onFrame === undefined) return <Text span size="xs" c="dimmed">{`frame ${frameIndex}`}</Text>;
  return (
    <Anchor component="button" size="xs" onClick={() => onFrame(frameIndex)}>
      frame {frameIndex}
    </Anchor>
  );
}
