/** Every sentence of the Analyze page. */
export const texts = {
  checks: {
    neither:
      "This is neither a video nor a picture that can be analysed. Choose an MP4, MOV, MKV, WebM or AVI file, for example.",
    picture: "Pictures may be PNG, JPEG, WebP or TIFF. Convert this one and choose it again.",
    empty: "This file is empty. Choose another one.",
    large: (size: string, limit: string) =>
      `This file has ${size}; the server takes ${limit} at most. Shorten it or choose another.`,
  },
} as const;
