/** The part of a link that names a frame: "#t=61" is frame 61. */

/** Return the frame that a link names; 0 where it names none. */
export function frameOfHash(hash: string): number {
  const found = /^#t=(\d{1,9})$/.exec(hash)?.[1];
  return found === undefined ? 0 : Number(found);
}

/** Return the part of a link that names a frame. */
export function hashOfFrame(frame: number): string {
  return `#t=${frame}`;
}
