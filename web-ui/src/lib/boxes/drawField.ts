import type { Colours } from "./colours";
import type { Rect } from "./drawing";
import type { Dot, Field } from "./field";

type Context = Pick<
  CanvasRenderingContext2D,
  "strokeStyle" | "fillStyle" | "lineWidth" | "beginPath" | "moveTo" | "lineTo" | "stroke" | "arc" | "fill" | "fillRect"
>;

/** A field seen from above is 105 by 68, as the fields of most games nearly are; it hides little of a small picture. */
const RADAR = { width: 158, mostShare: 0.3, shape: 68 / 105, edge: 10 };

/** Draw the lines of the pitch over a picture of `size` upright pixels that lies at `at`. */
export function drawPitch(
  context: Context,
  lines: NonNullable<Field["pitch"]>,
  size: { width: number; height: number },
  at: Rect,
  unit: number,
): void {
  context.strokeStyle = "#f8fafc";
  context.lineWidth = 2 * unit;
  for (const line of lines) {
    context.beginPath();
    line.forEach(([x, y], place) => {
      const point = [at.x + (x * at.width) / size.width, at.y + (y * at.height) / size.height] as const;
      if (place === 0) context.moveTo(...point);
      else context.lineTo(...point);
    });
    context.stroke();
  }
}

/** Draw who stands where, seen from above, into the lower right corner of a canvas. */
export function drawRadar(
  context: Context,
  dots: readonly Dot[],
  canvas: { width: number; height: number },
  look: { unit: number; colours: Colours },
): void {
  const { unit } = look;
  const width = Math.min(RADAR.width * unit, RADAR.mostShare * canvas.width);
  const height = width * RADAR.shape;
  const left = canvas.width - width - RADAR.edge * unit;
  const top = canvas.height - height - RADAR.edge * unit;
  context.fillStyle = "rgba(20, 83, 45, 0.9)";
  context.fillRect(left, top, width, height);
  for (const dot of dots) {
    context.fillStyle = look.colours.of(dot);
    context.beginPath();
    context.arc(left + dot.x * width, top + dot.y * height, 3 * unit, 0, 2 * Math.PI);
    context.fill();
  }
}
