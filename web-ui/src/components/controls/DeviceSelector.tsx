import { NativeSelect } from "@mantine/core";

/** Where a job may run. */
export type DeviceChoice = "auto" | "cpu" | "gpu";

const CHOICES: { value: DeviceChoice; label: string }[] = [
  { value: "auto", label: "Automatic" },
  { value: "cpu", label: "CPU" },
  { value: "gpu", label: "GPU" },
];

interface Props {
  value?: DeviceChoice;
  onChange: (device: DeviceChoice) => void;
  /** Choices that no runner offers; shown, and not selectable. */
  unavailable?: readonly DeviceChoice[];
}

/** The control #device-selector. */
export function DeviceSelector({ value = "auto", onChange, unavailable = [] }: Props) {
  return (
    <NativeSelect
      id="device-selector"
      label="Device"
      value={value}
      onChange={(event) => {
        const chosen = CHOICES.find((choice) => choice.value === event.currentTarget.value);
        if (chosen !== undefined) onChange(chosen.value);
      }}
      data={CHOICES.map((choice) => ({ ...choice, disabled: unavailable.includes(choice.value) }))}
    />
  );
}
