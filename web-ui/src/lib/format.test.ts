import { expect, test } from "vitest";

import { clockText } from "./format";

test.each([
  [0, "0:00.000"],
  [4_120_900, "0:04.120"],
  [3_599_999_000, "59:59.999"],
  [3_600_000_000, "1:00:00.000"],
  [3_725_000_000, "1:02:05.000"],
])("%d microseconds are %s on the clock of a video", (us, text) => {
  expect(clockText(us)).toBe(text);
});
