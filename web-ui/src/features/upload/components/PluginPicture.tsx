import type { MediaKind } from "../media/checks";
import classes from "./PluginPicture.module.css";

const HUES = 6;

/** A drawing that stands for a plugin, by what it takes: a film with a moving object, a picture with a found one. */
export function PluginPicture({ name, kinds }: { name: string; kinds: readonly MediaKind[] }) {
  const isFilm = kinds.includes("video");
  return (
    <svg
      className={classes.picture}
      data-hue={hueOf(name)}
      viewBox="0 0 320 120"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden
      focusable="false"
    >
      <rect className={classes.ground} width="320" height="120" />
      {kinds.includes("image") ? (
        <g className={classes.land}>
          <circle cx="252" cy="38" r="13" />
          <path d="M0 98 62 52l36 28 54-48 74 60 34-22 60 34v16H0z" />
        </g>
      ) : null}
      {isFilm ? (
        <g className={classes.holes}>
          {Array.from({ length: 16 }, (_, hole) => (
            <g key={hole}>
              <rect x={hole * 20 + 5} y="6" width="10" height="7" rx="2" />
              <rect x={hole * 20 + 5} y="107" width="10" height="7" rx="2" />
            </g>
          ))}
        </g>
      ) : null}
      {isFilm ? <path className={classes.trail} d="M38 84C84 76 116 52 176 54s62-2 92-16" /> : null}
      {isFilm ? <rect className={classes.past} x="60" y="56" width="38" height="30" rx="3" /> : null}
      {isFilm ? <rect className={classes.past} x="122" y="42" width="38" height="30" rx="3" /> : null}
      <rect className={classes.box} x="192" y="34" width="50" height="38" rx="3" />
      <rect className={classes.tag} x="192" y="24" width="28" height="8" rx="2" />
    </svg>
  );
}

function hueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  return sum % HUES;
}
