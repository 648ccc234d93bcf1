import type { KnownRow } from "./RowWindows";

interface Search {
  /** The frame from which to look; it is not looked at itself. */
  from: number;
  direction: 1 | -1;
  /** Frames in which something is found, as ascending ranges: nothing outside them is loaded. */
  ranges: readonly (readonly [number, number])[];
  rows: { get: (frame: number) => KnownRow; ensure: (frame: number) => Promise<void> };
  hasBoxes: (row: NonNullable<KnownRow>) => boolean;
  /** Ends the search: no further rows are loaded. */
  signal?: AbortSignal;
}

/** Return the next or the previous frame with a box; null where there is none. Throws when its rows cannot be loaded, or when it is ended. */
export async function findDetection(search: Search): Promise<number | null> {
  const { from, direction, ranges, rows, hasBoxes, signal } = search;
  const inOrder = direction === 1 ? ranges : [...ranges].reverse();
  for (const [first, last] of inOrder) {
    const start = direction === 1 ? Math.max(first, from + 1) : Math.min(last, from - 1);
    for (let frame = start; frame >= first && frame <= last; frame += direction) {
      if (rows.get(frame) === undefined) await rows.ensure(frame);
      signal?.throwIfAborted();
      const row = rows.get(frame);
      if (row !== undefined && row !== null && hasBoxes(row)) return frame;
    }
  }
  return null;
}
