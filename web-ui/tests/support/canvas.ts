import { vi } from "vitest";

/** What was painted, as jsdom has no canvas: each picture and each box in order. */
export interface Painted {
  pictures: number;
  /** Left and top of each box of the newest picture, outline and line as one. */
  boxes: [number, number][];
  labels: string[];
}

/** Make every canvas of the test record what is painted, and every picture decode at once. */
export function fakeCanvas(): Painted {
  const painted: Painted = { pictures: 0, boxes: [], labels: [] };
  const context = {
    drawImage: () => {
      painted.pictures += 1;
      painted.boxes = [];
      painted.labels = [];
    },
    strokeRect: (x: number, y: number) => {
      if (painted.boxes.at(-1)?.join() !== [x, y].join()) painted.boxes.push([x, y]);
    },
    fillRect: () => undefined,
    fillText: (text: string) => painted.labels.push(text),
    measureText: () => ({ width: 10 }),
  };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as unknown as null);
  HTMLImageElement.prototype.decode = () => Promise.resolve();
  return painted;
}
