import { JsonInput, MultiSelect, NativeSelect, TagsInput, Textarea, TextInput } from "@mantine/core";

import type { Draft } from "../options/drafts";
import type { Field } from "../options/fields";
import { hintText } from "../options/words";
import { texts } from "../texts";
import { NumberField } from "./NumberField";
import type { ControlProps } from "./optionProps";
import { SwitchField } from "./SwitchField";

interface Props {
  field: Field;
  common: ControlProps;
  draft: Draft | undefined;
  onChange: (draft: Draft | undefined) => void;
}

/** The control that an option's schema asks for. */
export function OptionControl({ field, common, draft, onChange: change }: Props) {
  const { control } = field;
  const text = typeof draft === "string" ? draft : "";
  const hint = hintText(field);
  const shown = { ...common, description: [field.description, hint].filter((part) => part !== "").join(" ") };
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
      return null; // its fields are shown one by one
    case "json":
      return (
        <JsonInput {...shown} autosize minRows={2} placeholder={texts.options.json} value={text} onChange={change} />
      );
  }
}
