import { expect, test } from "vitest";

import { fieldOf } from "./field";

const pitch = [
  [
    [0, 0],
    [640, 20],
  ],
];

test("pitch and radar are found under any tool", () => {
  const row = { frame_index: 3, "find-pitch": { pitch }, "map-players": { radar: [{ x: 0.5, y: 0.25, track_id: 4 }] } };

  const field = fieldOf(row);

  expect(field.pitch).toEqual(pitch);
  expect(field.radar).toMatchObject([{ x: 0.5, y: 0.25 }]);
});

test("a frame in which nothing was found has an empty list, not none", () => {
  expect(fieldOf({ detections: { pitch: [], radar: [] } })).toEqual({ pitch: [], radar: [] });
});

test.each([{ detections: { regions: [] } }, { detections: { pitch: "wide", radar: [{ x: 1 }] } }, { frame_index: 3 }])(
  "an output of another shape has neither",
  (row) => {
    expect(fieldOf(row)).toEqual({ pitch: null, radar: null });
  },
);
