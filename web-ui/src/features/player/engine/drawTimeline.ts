import { Colours, type Named, nameOf } from "@/lib/boxes/colours";

import { notAnalysedSpan, spanOfRun, ticks, xOfFrame, type Scale } from "./timelineGeometry";

/** Heights in page pixels. */
export const AXIS = 20;
export const LANE = 22;

/** A lane as it is drawn; the timeline and the table name it alike. */
export interface DrawnLane {
  key: string;
  name: string;
  /** Where there is little room: the track alone. */
  shortName: string;
  colour: string;
  runs: readonly (readonly [number, number, number])[];
}

interface LaneLike {
  kind: string;
  tool: string;
  class: string | null;
  track_id: number | string | null;
  runs: [number, number, number][];
}

/** Return a lane as it is drawn. */
export function drawnLane(lane: LaneLike, colours: Colours): DrawnLane {
  const named = namedOf(lane);
  const key = [lane.kind, lane.tool, lane.class, lane.track_id].join("|");
  const shortName = lane.track_id === null ? nameOf(named) : `#${lane.track_id}`;
  return { key, name: nameOf(named), shortName, colour: colours.of(named), runs: lane.runs };
}

/** Return the colours of lanes: tracks choose first, as most boxes are theirs. */
export function coloursOf(lanes: readonly LaneLike[]): Colours {
  const isTrack = ({ track_id: track }: LaneLike) => track !== null;
  return new Colours([...lanes.filter(isTrack), ...lanes.filter((lane) => !isTrack(lane))].map(namedOf));
}

function namedOf(lane: LaneLike): Named {
  return { tool: lane.tool, trackId: lane.track_id, className: lane.class };
}

/** What is drawn: the lanes, how far they are scrolled, the frame that is shown and the lane that is chosen. */
export interface TimelineScene {
  lanes: readonly DrawnLane[];
  scrolled: number;
  frame: number | null;
  chosen: string | null;
  /** Page pixels of the names at the left. */
  names: number;
  scale: Scale;
  tail: Tail;
}

/** The frames that were never analysed: where they begin, and what is said of them. */
export interface Tail {
  from: number;
  text: string;
}

/** Names that have less room than this are short. */
const NARROW_NAMES = 100;
const GROUND = "#10191d";
const INK = "#c8d5da";
const HATCH = "rgba(200, 213, 218, 0.3)";
const FAINT = "rgba(200, 213, 218, 0.14)";

/** Draw the timeline onto a canvas of `width` x `height` page pixels. */
export function drawTimeline(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  width: number,
  height: number,
): void {
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  const first = Math.floor(scene.scrolled / LANE);
  const last = Math.min(scene.lanes.length - 1, Math.floor((scene.scrolled + height - AXIS) / LANE));
  for (let index = first; index <= last; index += 1) {
    const lane = scene.lanes[index];
    if (lane !== undefined) drawLane(context, scene, lane, AXIS + index * LANE - scene.scrolled);
  }
  drawTail(context, scene, height);
  drawAxis(context, scene, width);
  if (scene.frame !== null) drawPlayhead(context, scene, scene.frame, height);
}

function drawLane(context: CanvasRenderingContext2D, scene: TimelineScene, lane: DrawnLane, top: number): void {
  const { names, scale } = scene;
  if (lane.key === scene.chosen) {
    context.fillStyle = "rgba(34, 211, 238, 0.16)";
    context.fillRect(0, top, names + scale.width, LANE);
  }
  context.fillStyle = FAINT;
  context.fillRect(names, top + 5, scale.width, LANE - 10);
  context.fillStyle = lane.colour;
  for (const [from, to] of lane.runs) {
    const { x, width } = spanOfRun(from, to, scale);
    context.fillRect(names + x, top + 5, width, LANE - 10);
  }
  context.fillRect(8, top + LANE / 2 - 4, 8, 8);
  context.fillStyle = INK;
  context.fillText(
    shortened(context, names < NARROW_NAMES ? lane.shortName : lane.name, names - 30),
    22,
    top + LANE / 2,
  );
}

/** Hatch what was never analysed, so that it does not look like frames in which nothing was found. */
function drawTail(context: CanvasRenderingContext2D, { names, scale, tail }: TimelineScene, height: number): void {
  const span = notAnalysedSpan(tail.from, scale);
  if (span === null) return;
  const left = names + span.x;
  const right = left + span.width;
  context.save();
  context.beginPath();
  context.rect(left, AXIS, span.width, height - AXIS);
  context.clip();
  context.fillStyle = GROUND;
  context.fillRect(left, AXIS, span.width, height - AXIS);
  context.strokeStyle = HATCH;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = left - height; x < right; x += 8) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  const textWidth = context.measureText(tail.text).width;
  if (textWidth + 24 <= span.width) {
    const middle = { x: left + span.width / 2, y: (AXIS + height) / 2 };
    context.fillStyle = GROUND;
    context.fillRect(middle.x - textWidth / 2 - 8, middle.y - 9, textWidth + 16, 18);
    context.fillStyle = INK;
    context.fillText(tail.text, middle.x - textWidth / 2, middle.y);
  }
  context.restore();
}

function drawAxis(context: CanvasRenderingContext2D, scene: TimelineScene, width: number): void {
  context.fillStyle = GROUND;
  context.fillRect(0, 0, width, AXIS);
  context.fillStyle = INK;
  for (const frame of ticks(scene.scale, 70)) {
    const x = scene.names + xOfFrame(frame, scene.scale);
    context.fillRect(Math.round(x), AXIS - 5, 1, 5);
    const text = frame.toLocaleString();
    const room = width - 2 - context.measureText(text).width;
    context.fillText(text, Math.min(x + 3, room), AXIS / 2 - 1);
  }
}

function drawPlayhead(context: CanvasRenderingContext2D, scene: TimelineScene, frame: number, height: number): void {
  const x = Math.round(scene.names + xOfFrame(frame, scene.scale));
  context.fillStyle = "#ffffff";
  context.fillRect(x - 1, 0, 2, height);
  context.beginPath();
  context.moveTo(x - 5, 0);
  context.lineTo(x + 5, 0);
  context.lineTo(x, 7);
  context.fill();
}

function shortened(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let kept = text;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return `${kept}…`;
}
