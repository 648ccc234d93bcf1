import { expect, test } from "vitest";

import type { Problem } from "@/lib/problem";

import { fieldsOf } from "./fields";
import { refusalOf } from "./refusal";

const zone = { type: "object", properties: { left: { type: "integer" } } };
const fields = {
  "detect-motion": fieldsOf({
    type: "object",
    properties: { threshold: { type: "number" }, sizes: { type: "array", items: { type: "integer" } }, zone },
  }),
  "track-objects": [],
};

function refused(detail: string, code = "OPTIONS_INVALID"): Problem {
  return { status: 422, title: "The options do not fit the tool", detail, code };
}

test.each([
  ["threshold: expected at most 20, found 30", "threshold", "Expected at most 20, found 30"],
  ["threshold: is missing", "threshold", "Is missing"],
  ["sizes.1: expected an integer, found x", "sizes", "1: expected an integer, found x"],
  ["zone.left: expected an integer, found 1.5", "zone/left", "Expected an integer, found 1.5"],
  ["zone: expected an object, found 1", "zone", "Expected an object, found 1"],
])("options.detect-motion.%s stands at its field", (address, key, sentence) => {
  expect(refusalOf(refused(`options.detect-motion.${address}`), fields)).toEqual({
    tool: "detect-motion",
    key,
    sentence,
  });
});

test("an option that the form does not have is told for the whole tool", () => {
  const detail = "options.detect-motion.treshold: there is no such option; known options: threshold";

  expect(refusalOf(refused(detail), fields)).toEqual({ tool: "detect-motion", key: null, sentence: detail });
});

test("other problems and other tools stay where they were", () => {
  expect(refusalOf(refused("options: expected a JSON object"), fields)).toBeNull();
  expect(refusalOf(refused("options.detect: expected the tools of this job"), fields)).toBeNull();
  expect(refusalOf(refused("options.detect-motion.threshold: no", "REQUEST_INVALID"), fields)).toBeNull();
});
