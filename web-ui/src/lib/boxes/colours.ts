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

/** What a box, a lane or a dot says of itself. */
export interface Named {
  /** Empty where it is not known which tool tells of it. */
  tool: string;
  trackId: string | number | null;
  className: string | null;
}

/**
 * The colours of one page: no two objects have the same.
 *
 * An object is its track where it has one, else its class, else its tool. It gets the colour that it has on every page
 * where that is free, else the next free one, in the order in which objects are met; those given at first come first.
 */
export class Colours {
  private readonly colours = new Map<string, string>();
  private readonly taken = new Set<number>();

  constructor(met: Iterable<Named> = []) {
    for (const named of met) this.of(named);
  }

  /** Return the colour of an object. */
  of(named: Named): string {
    const object = objectOf(named);
    const key = `${named.tool}|${object}`;
    const known = this.colours.get(key);
    if (known !== undefined) return known;
    const colour = colourAt(this.take(preferenceOf(named)));
    this.colours.set(key, colour);
    const ofAnyTool = `|${object}`;
    if (!this.colours.has(ofAnyTool)) this.colours.set(ofAnyTool, colour);
    return colour;
  }

  private take(preferred: number): number {
    for (let round = 0; ; round += 1) {
      for (let step = 0; step < PALETTE.length; step += 1) {
        const place = round * PALETTE.length + ((preferred + step) % PALETTE.length);
        if (this.taken.has(place)) continue;
        this.taken.add(place);
        return place;
      }
    }
  }
}

/** Return a colour of the palette; beyond its end lighter hues between them, on which the ink is readable as well. */
function colourAt(place: number): string {
  const known = PALETTE[place];
  if (known !== undefined) return known;
  const round = Math.floor(place / PALETTE.length);
  const hue = ((place % PALETTE.length) * 30 + round * 11) % 360;
  return `hsl(${hue} 85% ${70 + (round % 4) * 6}%)`;
}

function objectOf({ tool, trackId, className }: Named): string {
  return trackId !== null ? `#${trackId}` : (className ?? `tool ${tool}`);
}

function preferenceOf({ tool, trackId, className }: Named): number {
  return typeof trackId === "number" ? Math.abs(Math.trunc(trackId)) : hashOf(trackId ?? className ?? tool);
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
