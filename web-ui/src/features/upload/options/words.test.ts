import { expect, test } from "vitest";

import { fieldsOf } from "./fields";
import type { Schema } from "./schema";
import { hintText, labelText } from "./words";

test.each([
  [{ type: "number", default: 5, minimum: 1, maximum: 20 }, "Default 5 · 1 to 20"],
  [{ type: "number", exclusiveMinimum: 0, maximum: 1, examples: [0.5] }, "more than 0, at most 1 · for example 0.5"],
  [{ type: "integer", minimum: 0 }, "at least 0"],
  [{ type: "integer", exclusiveMaximum: 9 }, "less than 9"],
  [{ type: "boolean", default: false }, "Default off"],
  [{ anyOf: [{ type: "string" }, { type: "null" }], default: null }, "Default no value"],
  [{ type: "string" }, ""],
])("%j has the hint %s", (schema, hint) => {
  const [field] = fieldsOf({ properties: { a: schema as Schema } });

  expect(field && hintText(field)).toBe(hint);
});

test("a unit stands behind the label", () => {
  const [field] = fieldsOf({ properties: { max_speed: { type: "number", unit: "km/h" } } });

  expect(field && labelText(field)).toBe("Max speed (km/h)");
});
