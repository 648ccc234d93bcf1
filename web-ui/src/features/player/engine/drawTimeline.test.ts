import { expect, test, vi } from "vitest";

import { AXIS, drawTimeline, type TimelineScene } from "./drawTimeline";

const WIDTH = 508;
const HEIGHT = 64;

/** A context that notes what is hatched and written, 6 pixels a character. */
function aContext() {
  const rect = vi.fn();
  const written: string[] = [];
  const nothing = () => undefined;
  const drawing = { clearRect: nothing, fillRect: nothing, beginPath: nothing, moveTo: nothing, lineTo: nothing };
  const state = { fill: nothing, stroke: nothing, clip: nothing, save: nothing, restore: nothing };
  const text = {
    fillText: (said: string) => written.push(said),
    measureText: ({ length }: string) => ({ width: 6 * length }),
  };
  const context = { ...drawing, ...state, ...text, rect } as unknown as CanvasRenderingContext2D;
  return { context, hatched: rect, written };
}

const aScene = (from: number): TimelineScene => ({
  lanes: [],
  scrolled: 0,
  frame: null,
  chosen: null,
  names: 100,
  scale: { bins: 10, totalFrames: 100, width: 400 },
  tail: { from, text: "not analyzed" },
});

test("frames that were never analysed are hatched and named", () => {
  const { context, hatched, written } = aContext();

  drawTimeline(context, aScene(25), WIDTH, HEIGHT);

  expect(hatched).toHaveBeenCalledExactlyOnceWith(200, AXIS, 300, HEIGHT - AXIS);
  expect(written).toContain("not analyzed");
});

test("where there is no room for the words they are left out", () => {
  const { context, hatched, written } = aContext();

  drawTimeline(context, aScene(95), WIDTH, HEIGHT);

  expect(hatched).toHaveBeenCalledExactlyOnceWith(480, AXIS, 20, HEIGHT - AXIS);
  expect(written).not.toContain("not analyzed");
});

test("of a result that is whole nothing is hatched", () => {
  const { context, hatched } = aContext();

  drawTimeline(context, aScene(100), WIDTH, HEIGHT);

  expect(hatched).not.toHaveBeenCalled();
});
