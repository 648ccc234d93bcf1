import { Code, Table, Text } from "@mantine/core";

import type { components } from "@/lib/api";

import { texts } from "../../texts";
import { optionsOf } from "./options";

/** A tool: what it does, what it takes, and its options. */
export function ToolView({ tool }: { tool: components["schemas"]["ToolManifest"] }) {
  const options = optionsOf(tool.options_schema);
  return (
    <div>
      <Text size="sm" fw={500}>
        {tool.title || tool.name} <Code>{tool.name}</Code>
      </Text>
      <Text size="sm">{tool.description}</Text>
      <Text size="xs" c="dimmed" mb="xs">
        {texts.report.takes(tool.inputs.join(", "))}
      </Text>
      {options.length === 0 ? (
        <Text size="sm">{texts.report.noOptions}</Text>
      ) : (
        <Table.ScrollContainer minWidth={460} type="native" role="region" aria-label={tool.name} tabIndex={0}>
          <Table verticalSpacing={6} horizontalSpacing="xs" fz="xs" withRowBorders>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{texts.report.option}</Table.Th>
                <Table.Th>{texts.report.type}</Table.Th>
                <Table.Th>{texts.report.default}</Table.Th>
                <Table.Th>{texts.report.meaning}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {options.map((option) => (
                <Table.Tr key={option.name}>
                  <Table.Td>{option.name}</Table.Td>
                  <Table.Td>{option.type}</Table.Td>
                  <Table.Td>{option.default}</Table.Td>
                  <Table.Td>{option.meaning}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </div>
  );
}
