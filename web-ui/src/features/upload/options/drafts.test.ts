import { expect, test } from "vitest";

import { type Drafts, readDrafts } from "./drafts";
import { fieldsOf } from "./fields";

const fields = fieldsOf({
  type: "object",
  required: ["name"],
  properties: {
    threshold: { type: "number", minimum: 1, maximum: 20, default: 5 },
    frames: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 9 },
    name: { type: "string" },
    shadows: { type: "boolean", default: false },
    colour: { enum: ["red", 2] },
    sizes: { type: "array", items: { type: "integer" } },
    words: { type: "array", items: { type: "string" } },
    zone: { type: "object", required: ["left"], properties: { left: { type: "integer" }, top: { type: "integer" } } },
    rest: { type: "object" },
  },
});

function read(drafts: Drafts) {
  return readDrafts(fields, { name: "a", ...drafts });
}

test("untouched and emptied fields are not sent", () => {
  expect(read({ threshold: "" })).toEqual({ options: { name: "a" }, errors: {} });
});

test("drafts become values of their types", () => {
  const drafts = {
    threshold: "7.5",
    frames: "3",
    shadows: true,
    colour: "2",
    sizes: ["1", "2"],
    words: ["1"],
    "zone/left": "4",
    rest: '{"a": [1]}',
  };

  expect(read(drafts)).toEqual({
    options: {
      threshold: 7.5,
      frames: 3,
      name: "a",
      shadows: true,
      colour: 2,
      sizes: [1, 2],
      words: ["1"],
      zone: { left: 4 },
      rest: { a: [1] },
    },
    errors: {},
  });
});

test("no value on purpose is sent as null", () => {
  expect(read({ threshold: null }).options).toEqual({ name: "a", threshold: null });
});

test.each([
  ["threshold", "fast", "Enter a number."],
  ["threshold", "0.5", "Enter at least 1."],
  ["threshold", "21", "Enter at most 20."],
  ["frames", "1.5", "Enter a whole number."],
  ["frames", "0", "Enter more than 0."],
  ["frames", "9", "Enter less than 9."],
  ["sizes", ["1", "x"], '"x" is not a number.'],
  ["sizes", ["1.5"], '"1.5" is not a whole number.'],
  ["rest", "{", 'Enter JSON, such as {"left": 1} or [1, 2].'],
])("%s = %j is refused before it is sent", (key, draft, sentence) => {
  expect(read({ [key]: draft }).errors).toEqual({ [key]: sentence });
});

test("a required option without a default must be given, in a group only once the group is used", () => {
  expect(readDrafts(fields, {}).errors).toEqual({ name: "This option must be given." });
  expect(read({ "zone/top": "1" }).errors).toEqual({ "zone/left": "This option must be given." });
});
