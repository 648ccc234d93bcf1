/** What stands below a field: its default, what is allowed, an example. */

import { texts } from "../texts";
import type { Field } from "./fields";
import type { Json } from "./schema";

/** Write a JSON value as a person would. */
function valueText(value: Json): string {
  if (value === null) return texts.options.noValue.toLowerCase();
  if (value === true) return texts.options.on;
  if (value === false) return texts.options.off;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Return the label of a field with its unit. */
export function labelText({ label, unit }: Field): string {
  return unit === null ? label : `${label} (${unit})`;
}

/** Return the line below a field; empty where the schema says nothing. */
export function hintText({ control, preset, example }: Field): string {
  const parts: string[] = [];
  if (preset !== undefined && control.kind !== "group" && preset !== "")
    parts.push(texts.options.preset(valueText(preset)));
  if (control.kind === "number") parts.push(rangeText(control.min, control.max, control.open));
  if (example !== undefined) parts.push(texts.options.example(valueText(example)));
  return parts.filter((part) => part !== "").join(" · ");
}

function rangeText(min: number | null, max: number | null, open: string): string {
  const low = open === "low" || open === "both";
  const high = open === "high" || open === "both";
  if (min !== null && max !== null && !low && !high) return texts.options.range(String(min), String(max));
  const above = min === null ? "" : (low ? texts.options.above : texts.options.atLeast)(String(min));
  const below = max === null ? "" : (high ? texts.options.below : texts.options.atMost)(String(max));
  return [above, below].filter((part) => part !== "").join(", ");
}
