import { Group, Switch } from "@mantine/core";

import type { DrawChoices } from "./useDrawChoices";

const TOGGLES: { name: keyof DrawChoices; label: string }[] = [
  { name: "boxes", label: "Boxes" },
  { name: "labels", label: "Labels" },
  { name: "pitch", label: "Pitch" },
  { name: "radar", label: "Radar" },
];

interface Props {
  value: DrawChoices;
  onChange: (choices: DrawChoices) => void;
  /** Whether the tool's output has a pitch or a radar; without them their toggles are not shown. */
  has?: { pitch: boolean; radar: boolean };
}

/** The controls #toggle-boxes, #toggle-labels, #toggle-pitch and #toggle-radar: what is drawn over a picture. */
export function DrawToggles({ value, onChange, has = { pitch: false, radar: false } }: Props) {
  const shown = TOGGLES.filter(({ name }) => name === "boxes" || name === "labels" || has[name]);
  return (
    <Group gap="md" role="group" aria-label="Drawn over the picture">
      {shown.map(({ name, label }) => (
        <Switch
          key={name}
          id={`toggle-${name}`}
          label={label}
          size="sm"
          checked={value[name]}
          onChange={(event) => onChange({ ...value, [name]: event.currentTarget.checked })}
        />
      ))}
    </Group>
  );
}
