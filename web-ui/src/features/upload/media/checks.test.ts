import { expect, test } from "vitest";

import { checkFile } from "./checks";

function file(name: string, type: string, size = 3): File {
  return new File([new Uint8Array(size)], name, { type });
}

test.each([
  ["a.mp4", "video/mp4", "video"],
  ["a.MKV", "", "video"],
  ["a.ts", "application/octet-stream", "video"],
  ["a.gif", "image/gif", "video"],
  ["a", "image/png", "image"],
  ["a.TIFF", "", "image"],
])("%s of type '%s' is sent as %s", (name, type, kind) => {
  expect(checkFile(file(name, type), null)).toEqual({ kind, refusal: null });
});

test.each([
  ["notes.txt", "text/plain", "neither a video nor a picture"],
  ["drawing.svg", "image/svg+xml", "PNG, JPEG, WebP or TIFF"],
  ["phone.heic", "image/heic", "PNG, JPEG, WebP or TIFF"],
])("%s is refused with what would be taken", (name, type, said) => {
  expect(checkFile(file(name, type), null).refusal).toContain(said);
});

test("an empty file is refused", () => {
  expect(checkFile(file("a.mp4", "video/mp4", 0), null).refusal).toContain("is empty");
});

test("a file above the server's limit is refused with both sizes, once the limit is known", () => {
  const large = file("a.mp4", "video/mp4", 3000);

  expect(checkFile(large, 2048).refusal).toBe(
    "This file has 2.9 KiB; the server takes 2.0 KiB at most. Shorten it or choose another.",
  );
  expect(checkFile(large, null).refusal).toBeNull();
});
