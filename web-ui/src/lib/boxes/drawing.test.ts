import { expect, test } from "vitest";

import { Colours } from "./colours";
import { drawBoxes } from "./drawing";

function drawnLabelAt(x1: number, x2: number): [left: number, right: number] {
  const filled: [number, number][] = [];
  const context = {
    strokeStyle: "",
    fillStyle: "",
    lineWidth: 0,
    font: "",
    textBaseline: "alphabetic" as CanvasTextBaseline,
    strokeRect: () => undefined,
    fillRect: (x: number, _y: number, width: number) => filled.push([x, x + width]),
    fillText: () => undefined,
    measureText: (text: string) => ({ width: 8 * text.length }) as TextMetrics,
  };
  const corners: [number, number, number, number] = [x1, 40, x2, 60];
  const box = { tool: "t", corners, trackId: null, className: "object", confidence: 0.5 };
  const look = { boxes: false, labels: true, unit: 1, colours: new Colours() };
  drawBoxes(context, [box], { width: 200, height: 100 }, { x: 0, y: 0, width: 200, height: 100 }, look);
  const [label] = filled;
  if (label === undefined) throw new Error("no label was drawn");
  return label;
}

test("a label begins at its box", () => {
  expect(drawnLabelAt(40, 80)[0]).toBe(39);
});

test("a label at either edge of the picture is whole", () => {
  expect(drawnLabelAt(180, 200)[1]).toBe(200);
  expect(drawnLabelAt(0, 20)[0]).toBe(0);
});
