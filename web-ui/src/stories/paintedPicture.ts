import type { FrameData } from "@/lib/wire";

/** A street of rectangles, painted here so that the story needs no file, with boxes around its cars. */
export function paintedPicture(): FrameData {
  const canvas = document.createElement("canvas");
  canvas.width = 768;
  canvas.height = 432;
  const context = canvas.getContext("2d");
  const boxes = CARS.map((car, index) => ({ ...car, confidence: 0.96 - index / 9, class: "car", track_id: index + 1 }));
  if (context !== null) {
    fill(context, "#8fa3ad", { x: 0, y: 0, width: 768, height: 160 });
    fill(context, "#4b5457", { x: 0, y: 160, width: 768, height: 272 });
    for (let x = 0; x < 768; x += 96) fill(context, "#d8dcd8", { x, y: 290, width: 48, height: 6 });
    for (const car of CARS) fill(context, "#a8433a", car);
  }
  return { boxes, width: 768, height: 432, image: canvas.toDataURL("image/jpeg", 0.8) };
}

interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

const CARS: Area[] = [
  { x: 90, y: 210, width: 150, height: 70 },
  { x: 420, y: 320, width: 190, height: 84 },
  { x: 600, y: 176, width: 96, height: 44 },
];

function fill(context: CanvasRenderingContext2D, colour: string, { x, y, width, height }: Area): void {
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
}
