import { expect, test } from "vitest";

import { frameOfHash, hashOfFrame } from "./frameHash";

test("a link to a frame names it", () => {
  expect(frameOfHash(hashOfFrame(61))).toBe(61);
});

test.each(["", "#t=", "#t=1.5", "#t=-3", "#top", "#t=99999999999"])("%j names the first frame", (hash) => {
  expect(frameOfHash(hash)).toBe(0);
});
