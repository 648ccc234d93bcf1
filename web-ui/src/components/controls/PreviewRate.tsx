import { Group, Text } from "@mantine/core";

import classes from "./PreviewRate.module.css";

/** The server sends at most this many pictures a second. */
export const MOST_PICTURES_PER_SECOND = 5;

interface Props {
  /** Pictures a second, 1 to 5. */
  value?: number;
  onChange: (rate: number) => void;
}

/** The control #fps-slider: how often the preview changes its picture. */
export function PreviewRate({ value = MOST_PICTURES_PER_SECOND, onChange }: Props) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Text component="label" htmlFor="fps-slider" size="sm">
        Preview rate
      </Text>
      <input
        id="fps-slider"
        className={classes.slider}
        type="range"
        min={1}
        max={MOST_PICTURES_PER_SECOND}
        step={1}
        value={value}
        aria-valuetext={`${value} a second`}
        onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
      <Text size="sm" c="dimmed" className={classes.figure}>
        {value}/s
      </Text>
    </Group>
  );
}
