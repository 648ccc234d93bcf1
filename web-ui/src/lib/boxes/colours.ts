/** Colours of classes and tracks: the same object has the same colour on the picture, in the timeline and in tables. */

/** Twelve colours that differ in hue and stand out from a picture; each has its readable ink. */
const PALETTE = [
  "#22d3ee",
  "#f97316",
  "#a3e635",
  "#e879f9",
  "#facc15",
  "#60a5fa",
  "#fb7185",
  "#34d399",
  "#c084fc",
  "#fdba74",
  "#2dd4bf",
  "#f472b6",
] as const;

/** The ink of text on any of the colours: all of them are light. */
export const INK = "#0b1215";

interface Named {
  tool: string;
  trackId: string | number | null;
  className: string | null;
}

/** Return the colour of an object: by its track where it has one, else by its class, else by its tool. */
export function colourOf({ tool, trackId, className }: Named): string {
  const number = typeof trackId === "number" ? Math.abs(Math.trunc(trackId)) : hashOf(trackId ?? className ?? tool);
  return PALETTE[number % PALETTE.length] ?? PALETTE[0];
}

/** Return what an object is called: "car #3", "car", "#3", or its tool's name. */
export function nameOf({ tool, trackId, className }: Named): string {
  const track = trackId === null ? null : `#${trackId}`;
  return [className, track].filter((part) => part !== null).join(" ") || tool;
}

function hashOf(text: string): number {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return hash;
}
