import { boxesOfRow, type FoundBox, type Row } from "@/lib/boxes/boxes";
import type { Colours } from "@/lib/boxes/colours";
import { drawBoxes, type Rect } from "@/lib/boxes/drawing";
import { drawPitch, drawRadar } from "@/lib/boxes/drawField";
import { type Field, fieldOf } from "@/lib/boxes/field";

import type { KnownRow } from "./RowWindows";

/** What is drawn over the picture of one frame. */
export interface Overlay {
  boxes: readonly FoundBox[];
  field: Field;
}

/** What the viewer can switch. */
export interface Look {
  boxes: boolean;
  labels: boolean;
  pitch: boolean;
  radar: boolean;
}

const NOTHING: Overlay = { boxes: [], field: { pitch: null, radar: null } };

/** Return what a row says; null while the row is not loaded. A frame without a row says nothing. */
export function overlayOf(row: KnownRow, tools: readonly string[]): Overlay | null {
  if (row === undefined) return null;
  return row === null ? NOTHING : read(row, tools);
}

/** Draw an overlay over a picture of `size` upright pixels that lies at `at` on a canvas. */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  { boxes, field }: Overlay,
  size: { width: number; height: number },
  at: Rect,
  look: Look & { unit: number; colours: Colours },
): void {
  if (look.pitch && field.pitch !== null) drawPitch(context, field.pitch, size, at, look.unit);
  drawBoxes(context, boxes, size, at, look);
  if (look.radar && field.radar !== null) drawRadar(context, field.radar, context.canvas, look);
}

function read(row: Row, tools: readonly string[]): Overlay {
  return { boxes: boxesOfRow(row, tools), field: fieldOf(row) };
}
