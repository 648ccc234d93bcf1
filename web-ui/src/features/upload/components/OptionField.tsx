import {
  Checkbox,
  Fieldset,
  JsonInput,
  MultiSelect,
  NativeSelect,
  SimpleGrid,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";

import type { Draft, Drafts, FieldErrors } from "../options/drafts";
import { type Field, keyOf } from "../options/fields";
import { hintText, labelText } from "../options/words";
import { texts } from "../texts";
import { NumberField } from "./NumberField";
import { SwitchField } from "./SwitchField";

/** What every field of a form shares. */
export interface FormState {
  tool: string;
  drafts: Drafts;
  errors: FieldErrors;
  onDraft: (key: string, draft: Draft | undefined) => void;
}

/** One option, with the control that its schema asks for. */
export function OptionField({ field, form }: { field: Field; form: FormState }) {
  const key = keyOf(field.path);
  const draft = form.drafts[key];
  const { control } = field;
  const change = (value: Draft | undefined) => form.onDraft(key, value);
  const isNull = draft === null;
  const text = typeof draft === "string" ? draft : "";
  const hint = hintText(field);
  const common = {
    id: optionId(form.tool, key),
    label: labelText(field),
    description: field.description,
    required: field.required && field.preset === undefined,
    error: form.errors[key],
    disabled: isNull,
  };
  const shown = { ...common, description: [field.description, hint].filter((part) => part !== "").join(" ") };
  const shownControl = () => {
    switch (control.kind) {
      case "number":
        return <NumberField field={field} common={common} hint={hint} value={text} onChange={change} />;
      case "text":
        return control.long ? (
          <Textarea
            {...shown}
            autosize
            minRows={2}
            value={text}
            onChange={(event) => change(event.currentTarget.value)}
          />
        ) : (
          <TextInput {...shown} value={text} onChange={(event) => change(event.currentTarget.value)} />
        );
      case "switch":
        return (
          <SwitchField
            common={shown}
            preset={typeof field.preset === "boolean" ? field.preset : null}
            draft={draft}
            onChange={change}
          />
        );
      case "choice":
        return (
          <NativeSelect
            {...shown}
            value={text}
            onChange={(event) => change(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
            data={[
              { value: "", label: texts.options.unset },
              ...control.choices.map((choice) => ({ value: JSON.stringify(choice.value), label: choice.label })),
            ]}
          />
        );
      case "list":
        return control.choices === null ? (
          <TagsInput
            {...shown}
            placeholder={texts.options.list}
            value={Array.isArray(draft) ? draft : []}
            onChange={(values) => change(values.length === 0 ? undefined : values)}
          />
        ) : (
          <MultiSelect
            {...shown}
            data={control.choices.map((choice) => ({ value: JSON.stringify(choice.value), label: choice.label }))}
            value={Array.isArray(draft) ? draft : []}
            onChange={(values) => change(values.length === 0 ? undefined : values)}
          />
        );
      case "group":
        return (
          <Fieldset legend={labelText(field)} id={common.id}>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              {control.fields.map((inner) => (
                <OptionField key={keyOf(inner.path)} field={inner} form={form} />
              ))}
            </SimpleGrid>
          </Fieldset>
        );
      case "json":
        return (
          <JsonInput {...shown} autosize minRows={2} placeholder={texts.options.json} value={text} onChange={change} />
        );
    }
  };
  return (
    <div>
      {shownControl()}
      {field.nullable && field.preset !== null ? (
        <Checkbox
          mt={6}
          size="xs"
          label={texts.options.noValue}
          aria-label={`${field.label}: ${texts.options.noValue}`}
          checked={isNull}
          onChange={(event) => change(event.currentTarget.checked ? null : undefined)}
        />
      ) : null}
    </div>
  );
}

/** The id of a field's control. */
export function optionId(tool: string, key: string): string {
  return `option-${tool}-${key}`;
}
