import { describe, expect, test } from "vitest";

import { FrameTable, FrameTableInvalid } from "./FrameTable";
import { frameTableBytes } from "./support/frameTableBytes";

const at = (times: number[], options = {}) => FrameTable.parse(frameTableBytes(times, options));

describe("reading the binary form", () => {
  test("gives the facts and the times", () => {
    const table = at([0, 80_000, 160_000], { firstFrame: 7, width: 640, height: 480, rotation: 90, aspect: [4, 3] });

    expect(table.count).toBe(3);
    expect(table.frameAt(2)).toBe(9);
    expect(table.timeUs(1)).toBe(80_000);
    expect(table.facts).toEqual({
      attempt: 1,
      isComplete: true,
      isOfPlayable: false,
      width: 640,
      height: 480,
      rotation: 90,
      pixelAspect: 4 / 3,
    });
  });

  test("a sparse table names its frames", () => {
    const table = at([0, 40_000, 120_000], { indexes: [0, 1, 3] });

    expect([0, 1, 2].map((place) => table.frameAt(place))).toEqual([0, 1, 3]);
    expect(table.placeOf(3)).toBe(2);
    expect(table.placeOf(2)).toBe(1);
  });

  test.each([
    ["a short answer", new ArrayBuffer(12)],
    ["another form", new TextEncoder().encode("x".repeat(64)).buffer],
    ["a cut answer", frameTableBytes([0, 1, 2]).slice(0, -4)],
    ["times that fall", frameTableBytes([0, 80_000, 40_000])],
  ])("%s is refused", (_, bytes) => {
    expect(() => FrameTable.parse(bytes)).toThrow(FrameTableInvalid);
  });
});

describe("which frame has a time", () => {
  const even = at([0, 40_000, 80_000, 120_000]);
  const withDroppedTick = at([0, 40_000, 120_000, 160_000]);

  test.each([
    ["exactly", 40_000, 1],
    ["a microsecond early", 39_999, 1],
    ["a microsecond late", 80_001, 2],
    ["before the first", -15_000, 0],
    ["the last", 120_000, 3],
    ["between two frames, in the very middle", 60_000, -1],
    ["long before the first", -30_000, -1],
    ["long after the last", 145_000, -1],
    ["no time at all", Number.NaN, -1],
  ])("%s", (_, time, place) => {
    expect(even.placeAt(time)).toBe(place);
  });

  test("a picture where a frame is missing from the table is not given to its neighbour", () => {
    expect(withDroppedTick.placeAt(80_000)).toBe(-1);
    expect(withDroppedTick.placeAt(120_000)).toBe(2);
  });

  test("two frames with one time are not told apart", () => {
    expect(at([0, 40_000, 40_000, 80_000]).placeAt(40_000)).toBe(-1);
  });

  test("the only frame of a whole table is every picture, and of an unfinished one only its own", () => {
    expect(at([500_000]).placeAt(0)).toBe(0);
    expect(at([500_000], { isComplete: false }).placeAt(0)).toBe(-1);
  });

  test("an empty table names nothing", () => {
    expect(at([]).placeAt(0)).toBe(-1);
  });

  test("every frame of a long table with uneven times is found by its own time", () => {
    const times = Array.from({ length: 100_000 }, (_, index) => index * 33_366 + (index % 7) * 1_000);
    const table = at(times);

    expect(times.every((time, place) => table.placeAt(time) === place)).toBe(true);
  });
});

test("a frame is sought in the middle of the time for which it is shown", () => {
  const table = at([500_000, 540_000, 640_000]);

  expect([0, 1, 2].map((place) => table.middleUs(place))).toEqual([520_000, 590_000, 690_000]);
});
