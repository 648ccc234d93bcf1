import { Group, Text } from "@mantine/core";
import { useState } from "react";

import { Colours } from "@/lib/boxes/colours";
import type { Field } from "@/lib/boxes/field";

import classes from "./FieldView.module.css";

interface Props {
  field: Field;
  /** The frame that it is about: rows may be older than the picture beside them. */
  frameIndex: number;
  /** The upright input in pixels. */
  size: { width: number; height: number };
  shows: { pitch: boolean; radar: boolean };
}

/** The lines of the pitch as the camera sees them, and who stands where seen from above. */
export function FieldView({ field, frameIndex, size, shows }: Props) {
  const [colours] = useState(() => new Colours());
  const pitch = shows.pitch ? field.pitch : null;
  const radar = shows.radar ? field.radar : null;
  if (pitch === null && radar === null) return null;
  return (
    <Group gap="md" p="sm" align="flex-start">
      {pitch === null ? null : (
        <figure className={classes.figure}>
          <svg viewBox={`0 0 ${size.width} ${size.height}`} className={classes.field} role="img" aria-label="Pitch">
            {pitch.map((line, place) => (
              <polyline key={place} points={line.map((point) => point.join()).join(" ")} className={classes.line} />
            ))}
          </svg>
          <Text component="figcaption" size="xs" c="dimmed">
            Pitch, frame {frameIndex}
          </Text>
        </figure>
      )}
      {radar === null ? null : (
        <figure className={classes.figure}>
          <svg
            viewBox="0 0 105 68"
            className={classes.field}
            role="img"
            aria-label={`Radar with ${radar.length} ${radar.length === 1 ? "dot" : "dots"}`}
          >
            {radar.map((dot, place) => (
              <circle key={place} cx={dot.x * 105} cy={dot.y * 68} r={1.6} fill={colours.of(dot)} />
            ))}
          </svg>
          <Text component="figcaption" size="xs" c="dimmed">
            Radar, frame {frameIndex}
          </Text>
        </figure>
      )}
    </Group>
  );
}
