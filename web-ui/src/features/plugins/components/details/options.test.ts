import { expect, test } from "vitest";

import { optionsOf } from "./options";

test.each([
  ["a number with a range", { type: "number", minimum: 1, maximum: 20, default: 5 }, "number, 1 to 20", "5"],
  ["a closed set", { enum: ["fast", "exact"], default: "fast" }, "fast | exact", '"fast"'],
  ["a choice of types", { anyOf: [{ type: "integer" }, { type: "null" }], default: null }, "integer | null", "null"],
  ["a lower end alone", { type: "integer", minimum: 0 }, "integer, from 0", ""],
  ["no plain type", {}, "object", ""],
])("the schema of %s is put in words", (_, property, type, preset) => {
  expect(optionsOf({ properties: { one: property } })).toEqual([{ name: "one", type, default: preset, meaning: "" }]);
});
