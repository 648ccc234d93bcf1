import { Checkbox, Fieldset, Input, SimpleGrid } from "@mantine/core";

import type { Draft, Drafts, FieldErrors } from "../options/drafts";
import { type Field, keyOf } from "../options/fields";
import { labelText } from "../options/words";
import { texts } from "../texts";
import { OptionControl } from "./OptionControl";
import type { ControlProps } from "./optionProps";

/** What every field of a form shares. */
export interface FormState {
  tool: string;
  drafts: Drafts;
  errors: FieldErrors;
  onDraft: (key: string, draft: Draft | undefined) => void;
}

/** One option; where it may be null and is not so by default, with a way to say so. */
export function OptionField({ field, form }: { field: Field; form: FormState }) {
  const key = keyOf(field.path);
  const draft = form.drafts[key];
  const common: ControlProps = {
    id: optionId(form.tool, key),
    label: labelText(field),
    description: field.description,
    required: field.required && field.preset === undefined,
    error: form.errors[key],
    disabled: draft === null,
  };
  return (
    <div>
      {field.control.kind === "group" ? (
        <Fieldset legend={common.label} id={common.id}>
          {common.error === undefined ? null : <Input.Error mb="xs">{common.error}</Input.Error>}
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {field.control.fields.map((inner) => (
              <OptionField key={keyOf(inner.path)} field={inner} form={form} />
            ))}
          </SimpleGrid>
        </Fieldset>
      ) : (
        <OptionControl field={field} common={common} draft={draft} onChange={(next) => form.onDraft(key, next)} />
      )}
      {field.nullable && field.preset !== null ? (
        <Checkbox
          mt={6}
          size="xs"
          label={texts.options.noValue}
          aria-label={`${field.label}: ${texts.options.noValue}`}
          checked={draft === null}
          onChange={(event) => form.onDraft(key, event.currentTarget.checked ? null : undefined)}
        />
      ) : null}
    </div>
  );
}

/** The id of a field's control. */
export function optionId(tool: string, key: string): string {
  return `option-${tool}-${key}`;
}
