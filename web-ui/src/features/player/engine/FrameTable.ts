/**
 * When each frame of a video is shown: the only thing that says which frame a picture is.
 *
 * A picture's time is looked up among the times that the decoder of the job met. Nothing is computed from a rate, and a
 * time that fits no frame clearly names none: better no box than one on the wrong frame.
 */

const MAGIC = "FsFrames";
const HEADER_BYTES = 48;
const COMPLETE = 1;
const SPARSE = 2;
const OF_PLAYABLE = 4;
/** Containers and browsers round to whole microseconds, each in its own way. */
const ROUNDING_US = 2;

/** A table that cannot be read. */
export class FrameTableInvalid extends Error {
  constructor(found: string) {
    super(`The table of frames cannot be used: ${found}. Reload the page; if it stays so, submit the job again.`);
    this.name = "FrameTableInvalid";
  }
}

/** What a table says besides the times. Width and height are upright pixels before the pixel's shape is applied. */
export interface FrameFacts {
  attempt: number;
  isComplete: boolean;
  isOfPlayable: boolean;
  width: number;
  height: number;
  rotation: number;
  /** Width of a pixel divided by its height. */
  pixelAspect: number;
}

/** The times of a video's frames, in the order in which they are shown. A place is a position in that order. */
export class FrameTable {
  constructor(
    readonly facts: FrameFacts,
    private readonly times: Float64Array,
    private readonly indexes: Uint32Array | null,
    private readonly firstFrame: number,
  ) {
    const falls = times.findIndex((time, place) => place > 0 && time < (times[place - 1] ?? 0));
    if (falls !== -1) throw new FrameTableInvalid(`the time of entry ${falls} is before the one of the entry above it`);
  }

  /** Read the binary form of a table. */
  static parse(buffer: ArrayBuffer): FrameTable {
    if (buffer.byteLength < HEADER_BYTES) throw new FrameTableInvalid(`it has ${buffer.byteLength} bytes`);
    const view = new DataView(buffer);
    const magic = String.fromCharCode(...new Uint8Array(buffer, 0, 8));
    if (magic !== MAGIC || view.getUint16(8, true) !== 1) throw new FrameTableInvalid("its form is not known");
    const flags = view.getUint16(10, true);
    const count = view.getUint32(16, true);
    const isSparse = (flags & SPARSE) !== 0;
    const expected = HEADER_BYTES + count * (isSparse ? 12 : 8);
    if (buffer.byteLength !== expected) {
      throw new FrameTableInvalid(`it has ${buffer.byteLength} bytes where ${expected} were announced`);
    }
    const indexes = isSparse ? new Uint32Array(buffer, HEADER_BYTES + 8 * count, count) : null;
    return new FrameTable(
      factsOf(view, flags),
      new Float64Array(buffer, HEADER_BYTES, count),
      indexes,
      view.getUint32(20, true),
    );
  }

  /** How many frames it has. */
  get count(): number {
    return this.times.length;
  }

  /** Return the frame index at a place. */
  frameAt(place: number): number {
    return this.indexes === null ? this.firstFrame + place : (this.indexes[place] ?? 0);
  }

  /** Return the presentation time at a place, in microseconds. */
  timeUs(place: number): number {
    return this.times[place] ?? 0;
  }

  /** Return the place of a frame, or of the last one before it; 0 when there is none before it. */
  placeOf(frameIndex: number): number {
    const after = firstAfter(this.count, (place) => this.frameAt(place) > frameIndex);
    return Math.max(0, after - 1);
  }

  /**
   * Return the place of the frame that has this time, or -1 when none has it: the nearest one, when it is nearer than
   * half of the smaller gap beside it. Two frames with one time cannot be told apart, so neither is named.
   */
  placeAt(timestampUs: number): number {
    const after = firstAfter(this.count, (place) => this.timeUs(place) > timestampUs);
    const nearest =
      after === 0 || (after < this.count && this.timeUs(after) - timestampUs < timestampUs - this.timeUs(after - 1))
        ? after
        : after - 1;
    if (nearest >= this.count || Number.isNaN(timestampUs)) return -1;
    const distance = Math.abs(this.timeUs(nearest) - timestampUs);
    const gap = this.smallerGap(nearest);
    if (gap === null) return this.facts.isComplete || distance <= ROUNDING_US ? nearest : -1;
    if (gap === 0) return -1;
    return distance < gap / 2 ? nearest : -1;
  }

  /** Return the middle of the time for which a frame is shown, in microseconds; the last one is shown as the one before. */
  middleUs(place: number): number {
    return this.timeUs(place) + this.lengthUs(place) / 2;
  }

  /** Return for how long a frame is shown, in microseconds. */
  lengthUs(place: number): number {
    const last = this.count - 1;
    if (place < last) return this.timeUs(place + 1) - this.timeUs(place);
    return last > 0 ? this.timeUs(last) - this.timeUs(last - 1) : 0;
  }

  private smallerGap(place: number): number | null {
    const gaps: number[] = [];
    if (place > 0) gaps.push(this.timeUs(place) - this.timeUs(place - 1));
    if (place < this.count - 1) gaps.push(this.timeUs(place + 1) - this.timeUs(place));
    return gaps.length === 0 ? null : Math.min(...gaps);
  }
}

function factsOf(view: DataView, flags: number): FrameFacts {
  const aspect = { width: view.getUint16(34, true), height: view.getUint16(36, true) };
  return {
    attempt: view.getUint32(12, true),
    isComplete: (flags & COMPLETE) !== 0,
    isOfPlayable: (flags & OF_PLAYABLE) !== 0,
    width: view.getUint32(24, true),
    height: view.getUint32(28, true),
    rotation: view.getUint16(32, true),
    pixelAspect: aspect.width === 0 || aspect.height === 0 ? 1 : aspect.width / aspect.height,
  };
}

/** Return the first of `count` places for which `isAfter` holds; it holds for all that follow. */
function firstAfter(count: number, isAfter: (place: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
