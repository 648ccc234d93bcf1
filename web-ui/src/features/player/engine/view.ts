import type { Rect } from "@/lib/boxes/drawing";

/** What part of the picture is looked at: how much it is enlarged, and the point (0 to 1) in the middle of the canvas. */
export interface View {
  zoom: number;
  x: number;
  y: number;
}

interface Size {
  width: number;
  height: number;
}

/** The whole picture. */
export const WHOLE: View = { zoom: 1, x: 0.5, y: 0.5 };
const MOST_ZOOM = 16;

/** Return where a picture lies on a canvas; at zoom 1 it is as large as fits. */
export function placed(view: View, picture: Size, canvas: Size): Rect {
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height) * view.zoom;
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: canvas.width / 2 - view.x * width, y: canvas.height / 2 - view.y * height, width, height };
}

/** Enlarge by a factor, so that what lies under `at` (canvas pixels) stays there. */
export function zoomed(view: View, factor: number, at: { x: number; y: number }, picture: Size, canvas: Size): View {
  const before = placed(view, picture, canvas);
  const zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
  const after = placed({ ...view, zoom }, picture, canvas);
  const u = (at.x - before.x) / before.width;
  const v = (at.y - before.y) / before.height;
  const x = u - (at.x - canvas.width / 2) / after.width;
  const y = v - (at.y - canvas.height / 2) / after.height;
  return within({ zoom, x, y }, picture, canvas);
}

/** Move the picture by so many canvas pixels. */
export function moved(view: View, by: { x: number; y: number }, picture: Size, canvas: Size): View {
  const at = placed(view, picture, canvas);
  return within({ ...view, x: view.x - by.x / at.width, y: view.y - by.y / at.height }, picture, canvas);
}

/** Keep the picture on the canvas: no edge of it comes inside while it is larger, and it is centred while it is smaller. */
function within(view: View, picture: Size, canvas: Size): View {
  const at = placed(view, picture, canvas);
  return { zoom: view.zoom, x: kept(view.x, canvas.width / at.width), y: kept(view.y, canvas.height / at.height) };
}

function kept(middle: number, seen: number): number {
  if (seen >= 1) return 0.5;
  return Math.min(1 - seen / 2, Math.max(seen / 2, middle));
}
