interface Options {
  firstFrame?: number;
  indexes?: number[];
  width?: number;
  height?: number;
  rotation?: number;
  aspect?: [number, number];
  isComplete?: boolean;
}

/** Write a table of frames as the service does, for tests. */
export function frameTableBytes(times: readonly number[], options: Options = {}): ArrayBuffer {
  const {
    firstFrame = 0,
    indexes,
    width = 768,
    height = 432,
    rotation = 0,
    aspect = [0, 0],
    isComplete = true,
  } = options;
  const buffer = new ArrayBuffer(48 + times.length * (indexes === undefined ? 8 : 12));
  const view = new DataView(buffer);
  new Uint8Array(buffer).set(new TextEncoder().encode("FsFrames"));
  view.setUint16(8, 1, true);
  view.setUint16(10, (isComplete ? 1 : 0) | (indexes === undefined ? 0 : 2), true);
  view.setUint32(12, 1, true);
  view.setUint32(16, times.length, true);
  view.setUint32(20, firstFrame, true);
  view.setUint32(24, width, true);
  view.setUint32(28, height, true);
  view.setUint16(32, rotation, true);
  view.setUint16(34, aspect[0], true);
  view.setUint16(36, aspect[1], true);
  times.forEach((time, place) => view.setFloat64(48 + 8 * place, time, true));
  indexes?.forEach((index, place) => view.setUint32(48 + 8 * times.length + 4 * place, index, true));
  return buffer;
}
