import { NativeSelect, Switch, Text } from "@mantine/core";

import type { Draft } from "../options/drafts";
import { texts } from "../texts";
import type { ControlProps } from "./optionProps";

interface Props {
  common: ControlProps;
  /** What counts when nothing is chosen; null where the schema does not say. */
  preset: boolean | null;
  draft: Draft | undefined;
  onChange: (value: boolean | undefined) => void;
}

const WORDS = [
  { value: "", label: texts.options.unset },
  { value: "true", label: texts.options.on },
  { value: "false", label: texts.options.off },
];

/** On or off; without a default there are three choices, since "not said" is one too. */
export function SwitchField({ common, preset, draft, onChange }: Props) {
  if (preset === null)
    return (
      <NativeSelect
        {...common}
        value={typeof draft === "boolean" ? String(draft) : ""}
        onChange={({ currentTarget: { value } }) => onChange(value === "" ? undefined : value === "true")}
        data={WORDS}
      />
    );
  const { description, ...rest } = common;
  return (
    <>
      <Switch
        {...rest}
        aria-describedby={`${common.id}-what`}
        checked={typeof draft === "boolean" ? draft : preset}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <Text size="xs" c="dimmed" mt={4} id={`${common.id}-what`}>
        {description}
      </Text>
    </>
  );
}
