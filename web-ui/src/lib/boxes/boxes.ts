/**
 * The boxes in a row's plain JSON, whatever tool made it; the same reading as the services' boxes.py.
 *
 * A tool's own output type is not known here. Only its shape counts: a list of objects that each have `xyxy`, under any
 * name. An object without it is not a box, and everything else in an output is ignored.
 */

/** What the tools said about one frame. */
export type Row = Readonly<Record<string, unknown>> & { readonly frame_index: number };

/** Left, top, right, bottom in upright pixels, with left <= right and top <= bottom. */
type Corners = readonly [number, number, number, number];

/** One box of one tool in one frame; what the tool does not give is null. */
export interface FoundBox {
  tool: string;
  /** Null when one of the four is not a number; such a box counts and cannot be drawn. */
  corners: Corners | null;
  trackId: string | number | null;
  className: string | null;
  confidence: number | null;
}

/** Names under which outputs keep boxes; an empty list under one of them means that nothing was found. */
const BOX_LISTS: ReadonlySet<string> = new Set(["regions", "detections", "tracked_objects", "text_blocks"]);

/** Return each tool's id and output in a row: under `detections` for a single tool, else under the tool's own key. */
export function outputsOf(row: Row, tools: readonly string[]): [string, unknown][] {
  const [only] = tools;
  if (tools.length === 1 && only !== undefined) return "detections" in row ? [[only, row["detections"]]] : [];
  return tools.filter((tool) => tool in row).map((tool) => [tool, row[tool]]);
}

/** Return the boxes of one tool's output in their order; null when its type has no boxes. */
export function boxesOf(tool: string, output: unknown): FoundBox[] | null {
  if (!isObject(output)) return null;
  const lists = Object.entries(output).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const found = lists.flatMap(([, items]) => items.filter(isBox).map((item) => boxOf(tool, item)));
  return found.length > 0 || lists.some(([name]) => BOX_LISTS.has(name)) ? found : null;
}

/** Return every box of a row. */
export function boxesOfRow(row: Row, tools: readonly string[]): FoundBox[] {
  return outputsOf(row, tools).flatMap(([tool, output]) => boxesOf(tool, output) ?? []);
}

function boxOf(tool: string, item: BoxShape): FoundBox {
  const { track_id: track, class: name, confidence } = item;
  return {
    tool,
    corners: cornersOf(item.xyxy),
    trackId: typeof track === "string" || typeof track === "number" ? track : null,
    className: typeof name === "string" ? name : null,
    confidence: isNumber(confidence) ? confidence : null,
  };
}

function cornersOf(xyxy: readonly unknown[]): Corners | null {
  const [x1, y1, x2, y2] = xyxy;
  if (!isNumber(x1) || !isNumber(y1) || !isNumber(x2) || !isNumber(y2)) return null;
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

type BoxShape = Record<string, unknown> & { xyxy: unknown[] };

function isBox(item: unknown): item is BoxShape {
  return isObject(item) && Array.isArray(item["xyxy"]) && item["xyxy"].length === 4;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
