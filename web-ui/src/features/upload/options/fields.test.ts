import { expect, test } from "vitest";

import { type Field, fieldsOf, keyOf } from "./fields";
import type { Schema } from "./schema";

function one(property: Schema, more: Schema = {}): Field {
  const [field] = fieldsOf({ type: "object", properties: { speed: property }, ...more });
  if (field === undefined) throw new Error("the schema gave no field");
  return field;
}

test("a number has its range, and knows which ends are open", () => {
  expect(one({ type: "number", minimum: 1, maximum: 20 }).control).toEqual({
    kind: "number",
    integer: false,
    min: 1,
    max: 20,
    open: "none",
  });
  expect(one({ type: "integer", exclusiveMinimum: 0, maximum: 1 }).control).toMatchObject({
    integer: true,
    min: 0,
    open: "low",
  });
  expect(one({ type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 }).control).toMatchObject({ open: "both" });
});

test.each([
  [{ type: "boolean" }, { kind: "switch" }],
  [
    { type: "string", maxLength: 20 },
    { kind: "text", long: false, maxLength: 20 },
  ],
  [
    { type: "string", maxLength: 4000 },
    { kind: "text", long: true, maxLength: 4000 },
  ],
  [
    { type: "array", items: { type: "integer" } },
    { kind: "list", item: "integer", choices: null },
  ],
  [
    { type: "array", items: { type: "string" } },
    { kind: "list", item: "string", choices: null },
  ],
  [{ type: "array" }, { kind: "json" }],
  [{ type: "array", items: { type: "object" } }, { kind: "json" }],
  [{ type: "array", items: { type: ["integer", "null"] } }, { kind: "json" }],
  [{ type: "object", additionalProperties: { type: "number" } }, { kind: "json" }],
  [{ type: ["string", "integer"] }, { kind: "json" }],
  [{ anyOf: [{ type: "string" }, { type: "object" }] }, { kind: "json" }],
  [{ $ref: "https://example.invalid/schema" }, { kind: "json" }],
  [{ $ref: "#/properties/speed" }, { kind: "json" }],
  [{}, { kind: "json" }],
])("%j is entered as %j", (property, control) => {
  expect(one(property as Schema).control).toEqual(control);
});

test("closed sets are choices, with titles where the schema has some", () => {
  expect(one({ enum: ["red", 2, null] }).control).toEqual({
    kind: "choice",
    choices: [
      { label: "red", value: "red" },
      { label: "2", value: 2 },
    ],
  });
  expect(one({ oneOf: [{ const: "a", title: "First" }, { const: "b" }] }).control).toEqual({
    kind: "choice",
    choices: [
      { label: "First", value: "a" },
      { label: "b", value: "b" },
    ],
  });
  expect(one({ type: "array", items: { enum: ["car", "bus"] } }).control).toMatchObject({
    kind: "list",
    choices: [{ value: "car" }, { value: "bus" }],
  });
});

test("a value or null is the value's own control, and may be null", () => {
  const field = one({ anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }], default: null, title: "Limit" });

  expect(field).toMatchObject({ label: "Limit", nullable: true, preset: null, control: { kind: "number", min: 1 } });
  expect(one({ type: ["string", "null"] })).toMatchObject({ nullable: true, control: { kind: "text" } });
});

test("references are followed inside the schema, and what stands beside them counts", () => {
  const $defs = { Colour: { type: "string", enum: ["red", "blue"], description: "Which colour." } };

  expect(one({ $ref: "#/$defs/Colour", default: "red" }, { $defs })).toMatchObject({
    description: "Which colour.",
    preset: "red",
    control: { kind: "choice" },
  });
  expect(one({ allOf: [{ $ref: "#/$defs/Colour" }] }, { $defs }).control.kind).toBe("choice");
  expect(one({ anyOf: [{ $ref: "#/$defs/Colour" }, { type: "null" }] }, { $defs })).toMatchObject({ nullable: true });
});

test("one level of objects is a group; the next is JSON", () => {
  const inner = {
    type: "object",
    properties: { left: { type: "integer" }, deep: { type: "object", properties: { x: {} } } },
  };
  const { control } = one(inner, { required: ["speed"] });

  if (control.kind !== "group") throw new Error(`expected a group, found ${control.kind}`);
  expect(control.fields.map((field) => [keyOf(field.path), field.control.kind])).toEqual([
    ["speed/left", "number"],
    ["speed/deep", "json"],
  ]);
});

test("title, description, unit, default, example and need are read", () => {
  const schema = {
    type: "number",
    title: "Top speed",
    description: "How fast.",
    unit: "km/h",
    default: 0,
    examples: [50],
  };

  expect(one(schema, { required: ["speed"] })).toMatchObject({
    label: "Top speed",
    description: "How fast.",
    unit: "km/h",
    preset: 0,
    example: 50,
    required: true,
  });
});

test("a name stands in for a title", () => {
  expect(fieldsOf({ properties: { min_area: { type: "number" } } })[0]?.label).toBe("Min area");
});

test("no schema, and a schema of something else, have no fields", () => {
  expect(fieldsOf(undefined)).toEqual([]);
  expect(fieldsOf({ type: "string" })).toEqual([]);
});
