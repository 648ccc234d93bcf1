/** How figures are written everywhere on the page. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Write a number of bytes: 1536 is "1.5 KiB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? "B"}`;
}

/** Write milliseconds with one decimal, as the services measure them; from ten seconds on it writes seconds. */
export function msText(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** Write a duration in seconds: under 1 s, 4 s, 2 min 5 s, 3 h 12 min. */
export function durationText(seconds: number): string {
  if (seconds > 0 && seconds < 1) return "under 1 s";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Write a time in a video, in microseconds, as its clock: 0:04.120, 1:02:05.000. */
export function clockText(us: number): string {
  const total = Math.floor(us / 1_000);
  const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor(total / 60_000) % 60;
  const before = hours === 0 ? String(minutes) : `${hours}:${pad(minutes, 2)}`;
  return `${before}:${pad(Math.floor(total / 1_000) % 60, 2)}.${pad(total % 1_000, 3)}`;
}

// Made once: making one costs more than a hundred uses of it, and a list writes many moments.
const MOMENTS = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** Write a moment in the reader's own time: "28 Nov, 17:31:02". */
export function momentText(iso: string): string {
  return MOMENTS.format(new Date(iso));
}

/** Write a count with separators. */
export function countText(count: number): string {
  return count.toLocaleString();
}
