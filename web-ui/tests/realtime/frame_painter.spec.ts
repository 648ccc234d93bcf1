import { beforeEach, expect, test } from "vitest";

import { FramePainter } from "@/features/realtime/preview/FramePainter";
import type { FramePayload } from "@/lib/wire";

import { fakeCanvas } from "../support/canvas";
import type { Painted } from "../support/canvas";
import { frame } from "../support/messages";

let painted: Painted;
let canvas: HTMLCanvasElement;
let requests: ((nowMs: number) => void)[];
let loads: ((picture: HTMLCanvasElement) => void)[];
let painter: FramePainter;

beforeEach(() => {
  painted = fakeCanvas();
  canvas = document.createElement("canvas");
  requests = [];
  loads = [];
  painter = new FramePainter(
    canvas,
    { boxes: true, labels: true, rate: 5 },
    {
      loadPicture: () => new Promise((load) => loads.push(load)),
      requestFrame: (paint) => requests.push(paint),
      cancelFrame: () => (requests = []),
    },
  );
});

const payload = (index: number) => frame(index).payload as FramePayload;

/** The picture of the `place`-th frame that was shown is decoded. */
async function decode(place: number): Promise<void> {
  loads[place]?.(canvas);
  await Promise.resolve();
  await Promise.resolve();
}

/** The browser paints at a moment. */
function animate(nowMs: number): void {
  for (const paint of requests.splice(0)) paint(nowMs);
}

test("of two frames the newest wins, even when the older is decoded later", async () => {
  painter.show(payload(1));
  painter.show(payload(2));
  await decode(1);
  await decode(0);

  animate(0);

  expect(painted.pictures).toBe(1);
  expect(canvas).toHaveAttribute("aria-label", "Frame 2 with 1 box");
});

test("one animation frame paints once, however many pictures came", async () => {
  for (const index of [1, 2, 3]) {
    painter.show(payload(index));
    await decode(index - 1);
  }

  expect(requests).toHaveLength(1);
  animate(0);

  expect(painted.pictures).toBe(1);
  expect(canvas).toHaveAttribute("aria-label", "Frame 3 with 1 box");
});

test("a rate of 1 keeps a picture for a second, then shows the newest", async () => {
  painter.setLook({ boxes: true, labels: true, rate: 1 });
  painter.show(payload(1));
  await decode(0);
  animate(0);
  painter.show(payload(2));
  await decode(1);

  animate(500);
  expect(canvas).toHaveAttribute("aria-label", "Frame 1 with 1 box");

  animate(1000);
  expect(canvas).toHaveAttribute("aria-label", "Frame 2 with 1 box");
});

test("after the end nothing is painted", async () => {
  painter.show(payload(1));
  await decode(0);
  painter.show(payload(2));

  painter.stop();
  await decode(1);
  animate(0);

  expect(painted.pictures).toBe(0);
});
