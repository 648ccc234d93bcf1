/** From what a person entered to the options that are sent. Untouched fields are not sent, so that the tool's own defaults count. */

import { type Field, keyOf } from "./fields";
import type { Json } from "./schema";

/** What a person entered in one field. `null` is "no value" on purpose; a missing draft is the default. */
export type Draft = string | boolean | string[] | null;

/** Drafts by `keyOf(field.path)`. */
export type Drafts = Readonly<Record<string, Draft>>;

/** What is wrong with a draft, by `keyOf(field.path)`. */
export type FieldErrors = Readonly<Record<string, string>>;

/** Options of one tool, or what is wrong with them. */
export interface Read {
  options: Record<string, Json>;
  errors: FieldErrors;
}

/** A draft that is no value of its field. */
class NotReadable extends Error {}

/** Read the drafts of a form. */
export function readDrafts(fields: readonly Field[], drafts: Drafts): Read {
  const options: Record<string, Json> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const name = field.path.at(-1) ?? "";
    if (field.control.kind === "group" && drafts[keyOf(field.path)] === undefined) {
      const inner = readDrafts(requiredIfUsed(field, drafts), drafts);
      Object.assign(errors, inner.errors);
      if (Object.keys(inner.options).length > 0) options[name] = inner.options;
      continue;
    }
    try {
      const value = valueOf(field, drafts[keyOf(field.path)]);
      if (value !== undefined) options[name] = value;
    } catch (error) {
      if (!(error instanceof NotReadable)) throw error;
      errors[keyOf(field.path)] = error.message;
    }
  }
  return { options, errors };
}

/** Fields of an optional group that was not touched are not missed. */
function requiredIfUsed(group: Field, drafts: Drafts): Field[] {
  const fields = group.control.kind === "group" ? group.control.fields : [];
  const isUsed = group.required || fields.some((field) => drafts[keyOf(field.path)] !== undefined);
  return isUsed ? fields : fields.map((field) => ({ ...field, required: false }));
}

function valueOf(field: Field, draft: Draft | undefined): Json | undefined {
  if (draft === null) return null;
  if (draft === undefined || draft === "") {
    if (field.required && field.preset === undefined) throw new NotReadable("This option must be given.");
    return undefined;
  }
  if (typeof draft === "boolean") return draft;
  if (Array.isArray(draft)) return draft.map((entry) => entryOf(field, entry));
  switch (field.control.kind) {
    case "number":
      return numberOf(field, draft);
    case "choice":
    case "json":
      return jsonOf(draft);
    case "text":
    case "switch":
    case "list":
    case "group":
      return draft;
  }
}

function entryOf(field: Field, entry: string): Json {
  if (field.control.kind !== "list") return entry;
  if (field.control.choices !== null) return jsonOf(entry);
  if (field.control.item === "string") return entry;
  const value = Number(entry);
  if (entry.trim() === "" || !Number.isFinite(value)) throw new NotReadable(`"${entry}" is not a number.`);
  if (field.control.item === "integer" && !Number.isInteger(value))
    throw new NotReadable(`"${entry}" is not a whole number.`);
  return value;
}

function numberOf({ control }: Field, draft: string): number {
  const value = Number(draft);
  if (draft.trim() === "" || !Number.isFinite(value)) throw new NotReadable("Enter a number.");
  if (control.kind !== "number") return value;
  if (control.integer && !Number.isInteger(value)) throw new NotReadable("Enter a whole number.");
  const isOpenLow = control.open === "low" || control.open === "both";
  const isOpenHigh = control.open === "high" || control.open === "both";
  const { min, max } = control;
  if (min !== null && (isOpenLow ? value <= min : value < min))
    throw new NotReadable(isOpenLow ? `Enter more than ${min}.` : `Enter at least ${min}.`);
  if (max !== null && (isOpenHigh ? value >= max : value > max))
    throw new NotReadable(isOpenHigh ? `Enter less than ${max}.` : `Enter at most ${max}.`);
  return value;
}

function jsonOf(draft: string): Json {
  try {
    return JSON.parse(draft) as Json;
  } catch {
    throw new NotReadable('Enter JSON, such as {"left": 1} or [1, 2].');
  }
}
