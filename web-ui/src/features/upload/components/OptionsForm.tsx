import { Accordion, Badge, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";

import type { Drafts, FieldErrors } from "../options/drafts";
import { type Field, keyOf } from "../options/fields";
import { texts } from "../texts";
import { type FormState, OptionField } from "./OptionField";
import classes from "./OptionsForm.module.css";

/** The options of one chosen tool. */
export interface ToolForm {
  tool: string;
  title: string;
  fields: readonly Field[];
  drafts: Drafts;
  errors: FieldErrors;
  /** What the server said of the options as a whole. */
  said: string | null;
}

interface Props {
  form: ToolForm;
  onDraft: (tool: string, ...change: Parameters<FormState["onDraft"]>) => void;
  onReset: (tool: string) => void;
}

/** The options of a tool, as an item of an accordion that the reader opens. */
export function OptionsForm({ form, onDraft, onReset }: Props) {
  const { tool, fields, drafts, errors } = form;
  const changed = Object.values(drafts).filter((draft) => draft !== "").length;
  return (
    <Accordion.Item value={tool}>
      <Accordion.Control>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {form.title}
          </Text>
          <Badge variant="light" color={changed === 0 ? "gray" : undefined} tt="none">
            {changed === 0 ? texts.options.defaults : texts.options.changed(changed)}
          </Badge>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack>
          {form.said === null ? null : (
            <Text size="sm" role="alert" c="red">
              {form.said}
            </Text>
          )}
          {fields.length === 0 ? (
            <Text size="sm" c="dimmed">
              {texts.options.none}
            </Text>
          ) : (
            <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg" verticalSpacing="md" className={classes.fields}>
              {fields.map((field) => (
                <OptionField
                  key={keyOf(field.path)}
                  field={field}
                  form={{ tool, drafts, errors, onDraft: (key, draft) => onDraft(tool, key, draft) }}
                />
              ))}
            </SimpleGrid>
          )}
          {changed === 0 ? null : (
            <Button variant="default" size="xs" onClick={() => onReset(tool)}>
              {texts.options.reset}
            </Button>
          )}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}
