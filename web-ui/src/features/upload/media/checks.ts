/** What can be said about a file before it is sent: whether it is a video or a picture, and whether it is too large or empty. */

import { bytesText } from "@/lib/format";

import { texts } from "../texts";

/** What the server takes. */
export type MediaKind = "video" | "image";

/** Either a kind, or the reason why the file is not sent. */
export type Checked = { kind: MediaKind; refusal: null } | { kind: MediaKind | null; refusal: string };

const PICTURE_TYPES = new Set(["image/png", "image/jpeg", "image/webp", "image/tiff"]);
const PICTURE_ENDS = new Set(["png", "jpg", "jpeg", "webp", "tif", "tiff"]);
const VIDEO_ENDS = new Set(
  "mp4 m4v mov qt mkv webm avi ts mts m2ts mpg mpeg mpv vob flv f4v wmv asf 3gp 3g2 ogv ogg mxf y4m gif".split(" "),
);

/** Check a file against what the server says it takes; without `limitBytes` (no answer yet) the size is not judged. */
export function checkFile(file: File, limitBytes: number | null): Checked {
  const kind = kindOf(file);
  if (kind === null)
    return { kind, refusal: file.type.startsWith("image/") ? texts.checks.picture : texts.checks.neither };
  if (file.size === 0) return { kind, refusal: texts.checks.empty };
  if (limitBytes !== null && file.size > limitBytes)
    return { kind, refusal: texts.checks.large(bytesText(file.size), bytesText(limitBytes)) };
  return { kind, refusal: null };
}

/** The kind of a file by the type that the browser gives, else by the end of its name. */
export function kindOf(file: File): MediaKind | null {
  const type = file.type.toLowerCase();
  const end = file.name.toLowerCase().split(".").at(-1) ?? "";
  if (type.startsWith("video/")) return "video";
  if (PICTURE_TYPES.has(type)) return "image";
  if (VIDEO_ENDS.has(end)) return "video";
  if (PICTURE_ENDS.has(end) && !type.startsWith("image/")) return "image";
  return null;
}
