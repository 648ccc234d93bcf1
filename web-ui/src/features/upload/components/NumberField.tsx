import { NumberInput, Slider, Stack, Text } from "@mantine/core";

import type { Field } from "../options/fields";
import { texts } from "../texts";
import type { ControlProps } from "./optionProps";

interface Props {
  field: Field;
  common: ControlProps;
  hint: string;
  value: string;
  onChange: (value: string | undefined) => void;
}

/** A number: typed, and where it has two ends also on a slider. */
export function NumberField({ field, common, hint, value, onChange }: Props) {
  if (field.control.kind !== "number") return null;
  const { min, max, integer } = field.control;
  const preset = typeof field.preset === "number" ? field.preset : undefined;
  const change = (next: string | number) => onChange(next === "" ? undefined : String(next));
  const given = Number(value);
  const at = value !== "" && Number.isFinite(given) ? given : preset;
  return (
    <Stack gap={6}>
      <NumberInput
        {...common}
        placeholder={preset === undefined ? undefined : String(preset)}
        allowDecimal={!integer}
        step={integer ? 1 : stepOf(min, max)}
        startValue={preset ?? min ?? 0}
        clampBehavior="none"
        value={value}
        onChange={change}
      />
      {min === null || max === null ? null : (
        <Slider
          size="xs"
          min={min}
          max={max}
          step={integer ? 1 : stepOf(min, max)}
          value={Math.min(max, Math.max(min, at ?? min))}
          onChange={change}
          label={null}
          disabled={common.disabled}
          thumbLabel={texts.options.slider(common.label)}
        />
      )}
      {hint === "" ? null : (
        <Text size="xs" c="dimmed">
          {hint}
        </Text>
      )}
    </Stack>
  );
}

/** A step that divides the range into a few hundred, as a power of ten. */
function stepOf(min: number | null, max: number | null): number {
  if (min === null || max === null || max <= min) return 0.1;
  return 10 ** Math.floor(Math.log10((max - min) / 100));
}
