import { expect, test } from "vitest";

import { moved, placed, WHOLE, zoomed } from "./view";

const picture = { width: 800, height: 400 };
const canvas = { width: 400, height: 400 };

test("the whole picture fits and is centred", () => {
  expect(placed(WHOLE, picture, canvas)).toEqual({ x: 0, y: 100, width: 400, height: 200 });
});

test("what is under the pointer stays there when the picture is enlarged", () => {
  const at = { x: 100, y: 200 };

  const view = zoomed(WHOLE, 4, at, picture, canvas);

  const rect = placed(view, picture, canvas);
  expect((at.x - rect.x) / rect.width).toBeCloseTo(0.25);
  expect((at.y - rect.y) / rect.height).toBeCloseTo(0.5);
});

test("the picture cannot be made smaller than the canvas, nor dragged away", () => {
  expect(zoomed(WHOLE, 0.2, { x: 0, y: 0 }, picture, canvas)).toEqual(WHOLE);
  const near = zoomed(WHOLE, 4, { x: 200, y: 200 }, picture, canvas);

  const dragged = moved(near, { x: 100_000, y: 0 }, picture, canvas);

  expect(placed(dragged, picture, canvas).x).toBeCloseTo(0);
});
