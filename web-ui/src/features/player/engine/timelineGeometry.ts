/** Where things lie on the timeline, in page pixels from its left edge. Bins and frames, never times. */

/** How a result is laid out: its frames in so many bins, over so many pixels. */
export interface Scale {
  bins: number;
  totalFrames: number;
  width: number;
}

/** Return where a run of bins begins and how wide it is; at least wide enough to be seen. */
export function spanOfRun(first: number, last: number, scale: Scale): { x: number; width: number } {
  const perBin = scale.width / scale.bins;
  return { x: first * perBin, width: Math.max(1.5, (last - first + 1) * perBin) };
}

/** Return where the middle of a frame lies. */
export function xOfFrame(frame: number, scale: Scale): number {
  return scale.totalFrames === 0 ? 0 : ((frame + 0.5) / scale.totalFrames) * scale.width;
}

/** Return where the frames lie that were never analysed, those from `analysed` on; null when there are none. */
export function notAnalysedSpan(analysed: number, scale: Scale): { x: number; width: number } | null {
  if (analysed >= scale.totalFrames) return null;
  const x = (analysed / scale.totalFrames) * scale.width;
  return { x, width: scale.width - x };
}

/** Return the frame at a point; the first or the last one outside. */
export function frameAtX(x: number, scale: Scale): number {
  const frame = Math.floor((x / scale.width) * scale.totalFrames);
  return Math.min(Math.max(0, scale.totalFrames - 1), Math.max(0, frame));
}

/** Return the first and the last frame of a run of bins: frame f is in bin f * bins // totalFrames. */
export function framesOfRun(first: number, last: number, scale: Omit<Scale, "width">): [number, number] {
  const from = Math.ceil((first * scale.totalFrames) / scale.bins);
  const to = Math.ceil(((last + 1) * scale.totalFrames) / scale.bins) - 1;
  return [from, Math.min(to, scale.totalFrames - 1)];
}

/** Return round frame numbers for the axis, at least `apart` pixels from each other. */
export function ticks(scale: Scale, apart: number): number[] {
  if (scale.totalFrames === 0 || scale.width <= 0) return [];
  const least = (apart * scale.totalFrames) / scale.width;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= least) ?? 10 * power;
  return Array.from({ length: Math.ceil(scale.totalFrames / step) }, (_, index) => index * step);
}

/** Return the frames in which anything is found, as ranges in ascending order that do not touch. */
export function busyRanges(
  lanes: readonly { runs: readonly (readonly [number, number, number])[] }[],
  scale: Omit<Scale, "width">,
): [number, number][] {
  const isBusy = new Uint8Array(scale.bins);
  for (const { runs } of lanes) for (const [first, last] of runs) isBusy.fill(1, first, last + 1);
  const ranges: [number, number][] = [];
  for (let bin = isBusy.indexOf(1); bin !== -1; bin = isBusy.indexOf(1, bin)) {
    const end = isBusy.indexOf(0, bin);
    const last = end === -1 ? scale.bins - 1 : end - 1;
    ranges.push(framesOfRun(bin, last, scale));
    bin = last + 1;
  }
  return ranges;
}
