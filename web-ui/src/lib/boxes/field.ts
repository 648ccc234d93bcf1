/**
 * A field of play in a row's plain JSON. Only the shape counts: an output that has `pitch`, a list of lines that are each
 * a list of points in upright pixels, or `radar`, a list of objects with `x` and `y` from 0 to 1, seen from above.
 */
import type { Named } from "./colours";

type Point = readonly [number, number];

/** Something on the field, seen from above. */
export interface Dot extends Named {
  x: number;
  y: number;
}

/** What a row says about the field; null where no output has it. */
export interface Field {
  pitch: readonly (readonly Point[])[] | null;
  radar: readonly Dot[] | null;
}

/** Read the field out of a row, whichever tool it stands under. */
export function fieldOf(row: Readonly<Record<string, unknown>>): Field {
  const outputs = Object.values(row).filter(isObject);
  return {
    pitch: outputs.map(({ pitch }) => pitch).find(isLines) ?? null,
    radar:
      outputs
        .map(({ radar }) => radar)
        .find(isDots)
        ?.map(dotOf) ?? null,
  };
}

type DotShape = Record<string, unknown> & { x: number; y: number };

function dotOf({ x, y, track_id: track, class: name }: DotShape): Dot {
  return {
    x,
    y,
    tool: "",
    trackId: typeof track === "string" || typeof track === "number" ? track : null,
    className: typeof name === "string" ? name : null,
  };
}

function isLines(value: unknown): value is Point[][] {
  return Array.isArray(value) && value.every((line) => Array.isArray(line) && line.every(isPoint));
}

function isDots(value: unknown): value is DotShape[] {
  return Array.isArray(value) && value.every((dot) => isObject(dot) && isNumber(dot.x) && isNumber(dot.y));
}

function isPoint(value: unknown): value is Point {
  return Array.isArray(value) && value.length === 2 && value.every(isNumber);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
