import { Checkbox, Group, SimpleGrid, Text } from "@mantine/core";

import type { Tool } from "../api/plugins";
import { kindsText, titleOf } from "../media/fit";
import { texts } from "../texts";
import classes from "./Cards.module.css";

interface Props {
  tools: readonly Tool[];
  chosen: readonly string[];
  onChoose: (tools: string[]) => void;
}

/** The tools of the chosen plugin; several may be chosen. */
export function ToolCards({ tools, chosen, onChoose }: Props) {
  if (tools.length === 0) return <Text size="sm">{texts.tools.none}</Text>;
  return (
    <Checkbox.Group value={[...chosen]} onChange={onChoose} aria-label={texts.tools.title}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {tools.map((tool) => (
          <Checkbox.Card
            key={tool.name}
            value={tool.name}
            p="sm"
            className={classes.card}
            aria-labelledby={`tool-${tool.name}`}
            aria-describedby={`tool-${tool.name}-what`}
          >
            <Group gap="xs" wrap="nowrap" align="flex-start">
              <Checkbox.Indicator mt={2} />
              <div>
                <Text fw={600} id={`tool-${tool.name}`}>
                  {titleOf(tool)}
                </Text>
                <div id={`tool-${tool.name}-what`}>
                  <Text size="sm" c="dimmed">
                    {tool.description.replaceAll(/`([^`]*)`/g, "“$1”")}
                  </Text>
                  <Text size="xs" c="dimmed" mt={4}>
                    {texts.plugins.takes(kindsText(tool.inputs))}
                  </Text>
                </div>
              </div>
            </Group>
          </Checkbox.Card>
        ))}
      </SimpleGrid>
    </Checkbox.Group>
  );
}
