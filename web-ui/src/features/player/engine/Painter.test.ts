import { beforeEach, expect, test, vi } from "vitest";

import type { Overlay } from "./overlay";
import { Painter, type Picture } from "./Painter";

const SIZE = { display: { width: 400, height: 300 }, boxes: { width: 200, height: 300 } };
const MARKS = { unknown: "frame unknown", notLoaded: "not loaded" };
const overlay: Overlay = {
  boxes: [{ tool: "t", corners: [10, 20, 60, 80], trackId: 3, className: "car", confidence: 0.5 }],
  field: { pitch: [[[0, 0]]], radar: [{ x: 0.5, y: 0.5, tool: "", trackId: 4, className: null }] },
};

function aCanvas() {
  const canvas = document.createElement("canvas");
  const calls: string[] = [];
  const record =
    (name: string) =>
    (...given: unknown[]) =>
      void calls.push([name, ...given.filter((value) => typeof value !== "object")].join(" "));
  const context = {
    canvas,
    clearRect: vi.fn(),
    drawImage: record("picture"),
    strokeRect: record("box"),
    fillRect: vi.fn(),
    fillText: record("text"),
    measureText: () => ({ width: 30 }),
    beginPath: vi.fn(),
    moveTo: record("line from"),
    lineTo: record("line to"),
    stroke: vi.fn(),
    arc: record("dot"),
    fill: vi.fn(),
  };
  canvas.getContext = (() => context) as unknown as typeof canvas.getContext;
  return { canvas, calls };
}

function aPicture(close = vi.fn()) {
  return { close } as unknown as Picture;
}

let canvas: HTMLCanvasElement;
let calls: string[];
let painter: Painter;

beforeEach(() => {
  ({ canvas, calls } = aCanvas());
  painter = new Painter(canvas, SIZE, MARKS);
  painter.resize(400, 300, 1);
});

test("boxes lie on the picture in its own scale, whatever the shape of its pixels", () => {
  painter.show({ picture: aPicture(), frameIndex: 7, overlay });

  expect(calls[0]).toBe("picture 0 0 400 300");
  expect(calls).toContain("box 20 20 100 60");
  expect(calls).toContain("text car #3 50% 24 11");
  expect(canvas.dataset).toMatchObject({ frameIndex: "7", boxes: "1" });
});

test("who listens reads the canvas in the task that drew it", () => {
  const heard: unknown[] = [];
  canvas.addEventListener("picture", (event) =>
    heard.push([(event as CustomEvent<unknown>).detail, canvas.dataset["frameIndex"], calls.length > 0]),
  );

  painter.show({ picture: aPicture(), frameIndex: 7, overlay });

  expect(heard).toEqual([[{ frameIndex: 7 }, "7", true]]);
});

test("a picture that is not identified says so and has no boxes", () => {
  painter.show({ picture: aPicture(), frameIndex: null, overlay: null });

  expect(calls.filter((call) => call.startsWith("box"))).toEqual([]);
  expect(calls.at(-1)).toMatch(/^text frame unknown/);
  expect(canvas.dataset).toMatchObject({ frameIndex: "unknown", boxes: "none" });
});

test("a picture whose boxes could not be loaded says so", () => {
  painter.show({ picture: aPicture(), frameIndex: 7, overlay: null });

  expect(calls.at(-1)).toMatch(/^text not loaded/);
});

test("what is switched off is not drawn", () => {
  painter.setLook({ boxes: false, labels: false, pitch: false, radar: false });

  painter.show({ picture: aPicture(), frameIndex: 7, overlay });

  expect(calls).toEqual(["picture 0 0 400 300"]);
});

test("another size, zoom or look repaints the same picture; the next one lets it go", () => {
  const [closesFirst, closesSecond] = [vi.fn(), vi.fn()];
  painter.show({ picture: aPicture(closesFirst), frameIndex: 7, overlay });

  painter.resize(800, 600, 1);
  painter.setView({ zoom: 2, x: 0.5, y: 0.5 });

  expect(calls.filter((call) => call.startsWith("picture"))).toEqual([
    "picture 0 0 400 300",
    "picture 0 0 800 600",
    "picture -400 -300 1600 1200",
  ]);
  expect(closesFirst).not.toHaveBeenCalled();
  painter.show({ picture: aPicture(closesSecond), frameIndex: 8, overlay });
  expect(closesFirst).toHaveBeenCalledOnce();
  painter.close();
  expect(closesSecond).toHaveBeenCalledOnce();
});
