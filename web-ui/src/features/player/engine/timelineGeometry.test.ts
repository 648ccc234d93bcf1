import { describe, expect, test } from "vitest";

import { busyRanges, frameAtX, framesOfRun, notAnalysedSpan, spanOfRun, ticks, xOfFrame } from "./timelineGeometry";

const scale = { bins: 400, totalFrames: 100_000, width: 800 };

test("a run of bins lies where its share of the width is, and can be seen when it is short", () => {
  expect(spanOfRun(100, 199, scale)).toEqual({ x: 200, width: 200 });
  expect(spanOfRun(3, 3, { ...scale, bins: 2000 }).width).toBe(1.5);
});

test("the point of a frame is the frame of that point", () => {
  const frames = [0, 1, 49_999, 99_999];

  expect(frames.map((frame) => frameAtX(xOfFrame(frame, scale), scale))).toEqual(frames);
  expect(frameAtX(-5, scale)).toBe(0);
  expect(frameAtX(9_999, scale)).toBe(99_999);
});

test.each([
  { analysed: 25_000, span: { x: 200, width: 600 } },
  { analysed: 0, span: { x: 0, width: 800 } },
  { analysed: 100_000, span: null },
  { analysed: 100_001, span: null },
])("what was not analysed begins after $analysed frames", ({ analysed, span }) => {
  expect(notAnalysedSpan(analysed, scale)).toEqual(span);
});

test("an empty result has one place", () => {
  expect(frameAtX(40, { ...scale, totalFrames: 0 })).toBe(0);
  expect(xOfFrame(0, { ...scale, totalFrames: 0 })).toBe(0);
});

describe("the frames of a run", () => {
  test.each([
    { bins: 400, totalFrames: 377 },
    { bins: 400, totalFrames: 100_001 },
    { bins: 7, totalFrames: 20 },
  ])("of $totalFrames frames in $bins bins are those that are in its bins", ({ bins, totalFrames }) => {
    const binOf = (frame: number) => Math.floor((frame * bins) / totalFrames);
    const frames = Array.from({ length: totalFrames }, (_, frame) => frame).filter((frame) =>
      [3, 4].includes(binOf(frame)),
    );

    expect(framesOfRun(3, 4, { bins, totalFrames })).toEqual([frames[0], frames.at(-1)]);
  });

  test("of several lanes are put together where they touch", () => {
    const lanes: { runs: [number, number, number][] }[] = [
      { runs: [[8, 9, 1]] },
      {
        runs: [
          [0, 1, 4],
          [1, 3, 2],
        ],
      },
    ];

    expect(busyRanges(lanes, { bins: 10, totalFrames: 100 })).toEqual([
      [0, 39],
      [80, 99],
    ]);
  });
});

test("the axis has round numbers that do not run into each other", () => {
  expect(ticks({ bins: 400, totalFrames: 377, width: 800 }, 80)).toEqual([0, 50, 100, 150, 200, 250, 300, 350]);
  expect(ticks({ bins: 10, totalFrames: 3, width: 800 }, 80)).toEqual([0, 1, 2]);
});
