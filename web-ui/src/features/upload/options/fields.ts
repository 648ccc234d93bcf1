/** What an options form shows, read from a tool's JSON Schema. Whatever the form has no control for is a JSON field. */

import { type Choice, choicesOf, isObject, type Json, type Schema, valueSchemaOf } from "./schema";

/** How a value is entered. */
type Control =
  | { kind: "number"; integer: boolean; min: number | null; max: number | null; open: "none" | "low" | "high" | "both" }
  | { kind: "text"; long: boolean; maxLength: number | null }
  | { kind: "switch" }
  | { kind: "choice"; choices: Choice[] }
  | { kind: "list"; item: "number" | "integer" | "string"; choices: Choice[] | null }
  | { kind: "group"; fields: Field[] }
  | { kind: "json" };

/** One option of a tool. */
export interface Field {
  /** Names from the options object down to this value: one, or two inside a group. */
  path: string[];
  label: string;
  description: string;
  unit: string | null;
  /** What the tool takes when the form sends nothing; undefined where the schema names nothing. */
  preset: Json | undefined;
  example: Json | undefined;
  required: boolean;
  nullable: boolean;
  control: Control;
}

/** Return the fields of a tool's options, in the schema's order. A schema that is no object of options gives none. */
export function fieldsOf(schema: Schema | undefined): Field[] {
  return schema === undefined ? [] : fieldsIn(schema, schema, []);
}

/** Return the key of a field in records of drafts and of errors. */
export function keyOf(path: readonly string[]): string {
  return path.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
}

function fieldsIn(object: Schema, root: Schema, above: string[]): Field[] {
  if (!isObject(object.properties)) return [];
  const required = Array.isArray(object.required) ? object.required : [];
  return Object.entries(object.properties)
    .filter((entry): entry is [string, Schema] => isObject(entry[1]))
    .map(([name, property]) => fieldOf(property, root, [...above, name], required.includes(name)));
}

function fieldOf(property: Schema, root: Schema, path: string[], required: boolean): Field {
  const { schema, nullable } = valueSchemaOf(property, root);
  return {
    path,
    label: textIn(property.title) ?? textIn(schema.title) ?? labelOf(path.at(-1) ?? ""),
    description: textIn(property.description) ?? textIn(schema.description) ?? "",
    unit: textIn(property.unit) ?? textIn(schema.unit),
    preset: property.default ?? (property.default === null ? null : schema.default),
    example: exampleIn(property) ?? exampleIn(schema),
    required,
    nullable: nullable || (Array.isArray(schema.enum) && schema.enum.includes(null)),
    control: controlOf(schema, root, path),
  };
}

function controlOf(schema: Schema, root: Schema, path: string[]): Control {
  const choices = choicesOf(schema);
  if (choices !== null) return { kind: "choice", choices };
  switch (textIn(schema.type) ?? "") {
    case "integer":
    case "number":
      return numberOf(schema);
    case "string":
      return { kind: "text", long: (numberIn(schema.maxLength) ?? 0) > 200, maxLength: numberIn(schema.maxLength) };
    case "boolean":
      return { kind: "switch" };
    case "array":
      return listOf(schema, root);
    case "object":
      return groupOf(schema, root, path);
    default:
      return { kind: "json" };
  }
}

function numberOf(schema: Schema): Control {
  const low = numberIn(schema.exclusiveMinimum);
  const high = numberIn(schema.exclusiveMaximum);
  const min = low ?? numberIn(schema.minimum);
  const max = high ?? numberIn(schema.maximum);
  const open = low !== null && high !== null ? "both" : low !== null ? "low" : high !== null ? "high" : "none";
  return { kind: "number", integer: schema.type === "integer", min, max, open };
}

function listOf(schema: Schema, root: Schema): Control {
  if (!isObject(schema.items)) return { kind: "json" };
  const { schema: item, nullable } = valueSchemaOf(schema.items, root);
  if (nullable) return { kind: "json" };
  const choices = choicesOf(item);
  if (choices !== null) return { kind: "list", item: "string", choices };
  if (item.type !== "string" && item.type !== "integer" && item.type !== "number") return { kind: "json" };
  return { kind: "list", item: item.type, choices: null };
}

/** An object of named values becomes a group; one inside a group, or one whose names are free, stays JSON. */
function groupOf(schema: Schema, root: Schema, path: string[]): Control {
  if (path.length > 1 || isObject(schema.additionalProperties)) return { kind: "json" };
  const fields = fieldsIn(schema, root, path);
  return fields.length === 0 ? { kind: "json" } : { kind: "group", fields };
}

function labelOf(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").trim();
  return words === "" ? name : words.charAt(0).toUpperCase() + words.slice(1);
}

function exampleIn(schema: Schema): Json | undefined {
  return Array.isArray(schema.examples) ? schema.examples[0] : schema.example;
}

function textIn(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function numberIn(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}
