import type { FoundBox } from "./boxes";
import { type Colours, INK, nameOf } from "./colours";

/** Where a picture lies on a canvas, in canvas pixels. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How boxes are drawn. `unit` is how many canvas pixels one pixel of the page has. */
export interface BoxLook {
  boxes: boolean;
  labels: boolean;
  unit: number;
  colours: Colours;
}

type Context = Pick<
  CanvasRenderingContext2D,
  | "strokeStyle"
  | "fillStyle"
  | "lineWidth"
  | "font"
  | "textBaseline"
  | "strokeRect"
  | "fillRect"
  | "fillText"
  | "measureText"
>;

/** Draw boxes over a picture of `width` x `height` upright pixels that lies at `at`. */
export function drawBoxes(
  context: Context,
  found: readonly FoundBox[],
  size: { width: number; height: number },
  at: Rect,
  look: BoxLook,
): void {
  const scale = { x: at.width / size.width, y: at.height / size.height };
  context.font = `600 ${12 * look.unit}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  for (const box of found) {
    if (box.corners === null) continue;
    const [x1, y1, x2, y2] = box.corners;
    const rect = {
      x: at.x + x1 * scale.x,
      y: at.y + y1 * scale.y,
      width: (x2 - x1) * scale.x,
      height: (y2 - y1) * scale.y,
    };
    const colour = look.colours.of(box);
    if (look.boxes) drawBox(context, rect, colour, look.unit);
    if (look.labels) drawLabel(context, labelOf(box), { rect, right: at.x + at.width }, colour, look.unit);
  }
}

/** Return what stands at a box: its name, and its confidence as per cent. */
export function labelOf(box: FoundBox): string {
  const confidence = box.confidence === null ? "" : ` ${Math.round(box.confidence * 100)}%`;
  return `${nameOf(box)}${confidence}`;
}

function drawBox(context: Context, rect: Rect, colour: string, unit: number): void {
  context.strokeStyle = "rgba(0, 0, 0, 0.55)";
  context.lineWidth = 4 * unit;
  context.strokeRect(rect.x, rect.y, rect.width, rect.height);
  context.strokeStyle = colour;
  context.lineWidth = 2 * unit;
  context.strokeRect(rect.x, rect.y, rect.width, rect.height);
}

/** Draw a label above its box, or inside where there is no room, and no further right than the picture reaches. */
function drawLabel(
  context: Context,
  text: string,
  { rect, right }: { rect: Rect; right: number },
  colour: string,
  unit: number,
): void {
  const height = 18 * unit;
  const width = context.measureText(text).width + 10 * unit;
  const y = rect.y - height >= 0 ? rect.y - height : rect.y;
  const x = Math.max(0, Math.min(rect.x - unit, right - width));
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  context.fillStyle = INK;
  context.fillText(text, x + 5 * unit, y + height / 2);
}
