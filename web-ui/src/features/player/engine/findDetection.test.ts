import { expect, test, vi } from "vitest";

import { findDetection } from "./findDetection";
import { RowWindows } from "./RowWindows";

const BUSY = [10, 11, 9_000];
const load = (from: number, limit: number) =>
  Promise.resolve(Array.from({ length: limit }, (_, index) => ({ frame_index: from + index })));
const hasBoxes = (row: { frame_index: number }) => BUSY.includes(row.frame_index);
const ranges: [number, number][] = [
  [0, 24],
  [8_990, 9_014],
];

test.each([
  ["on from the start", 0, 1, 10],
  ["on from one", 10, 1, 11],
  ["on over a long gap", 11, 1, 9_000],
  ["on from the last", 9_000, 1, null],
  ["back over a long gap", 9_000, -1, 11],
  ["back from the first", 10, -1, null],
] as const)("the next detection %s", async (_, from, direction, found) => {
  const rows = new RowWindows(load);

  expect(await findDetection({ from, direction, ranges, rows, hasBoxes })).toBe(found);
});

test("no rows are loaded where nothing is found", async () => {
  const asked = vi.fn(load);

  await findDetection({ from: 11, direction: 1, ranges, rows: new RowWindows(asked), hasBoxes });

  expect(asked.mock.calls.map(([from]) => from)).toEqual([0, 8_960]);
});
