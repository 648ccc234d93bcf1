import { describe, expect, test } from "vitest";

import { boxesOf, boxesOfRow, outputsOf, type Row } from "./boxes";
import { nameOf } from "./colours";
import { labelOf } from "./drawing";

describe("the boxes of a row", () => {
  test("of a single tool stand under detections", () => {
    const row: Row = { frame_index: 3, detections: { regions: [{ xyxy: [1, 2, 3, 4] }], motion_share: 0.1 } };

    expect(boxesOfRow(row, ["detect-motion"])).toEqual([
      { tool: "detect-motion", corners: [1, 2, 3, 4], trackId: null, className: null, confidence: null },
    ]);
  });

  test("of several tools stand under each tool's own key", () => {
    const row: Row = {
      frame_index: 0,
      "detect-motion": { regions: [{ xyxy: [0, 0, 1, 1] }] },
      "track-objects": { tracked_objects: [{ xyxy: [5, 5, 9, 9], track_id: 4, class: "car", confidence: 0.875 }] },
    };

    const found = boxesOfRow(row, ["detect-motion", "track-objects"]);

    expect(found.map((box) => box.tool)).toEqual(["detect-motion", "track-objects"]);
    expect(found.map(labelOf)).toEqual(["detect-motion", "car #4 88%"]);
  });

  test("a tool that gave nothing for the frame has no output", () => {
    expect(outputsOf({ frame_index: 0 }, ["a"])).toEqual([]);
    expect(outputsOf({ frame_index: 0, a: 1 }, ["a", "b"])).toEqual([["a", 1]]);
  });
});

describe("what counts as a box", () => {
  test("a list under any name counts when its objects have xyxy", () => {
    expect(boxesOf("own", { players: [{ xyxy: [1, 1, 2, 2] }, { name: "no box" }] })).toHaveLength(1);
  });

  test.each([
    ["an empty list under a known name is nothing found", { tracked_objects: [] }, []],
    ["an output of another type has no boxes", { score: 0.4, words: ["a"] }, null],
    ["a number has no boxes", 4, null],
    ["a list has no boxes", [{ xyxy: [1, 1, 2, 2] }], null],
    ["three corners are no box", { own: [{ xyxy: [1, 2, 3] }] }, null],
  ])("%s", (_, output, expected) => {
    expect(boxesOf("tool", output)).toEqual(expected);
  });

  test("corners are put in order, and a box with a value that is no number cannot be drawn", () => {
    const output = { regions: [{ xyxy: [9, 8, 1, 2] }, { xyxy: [null, 0, 1, 1] }] };

    expect(boxesOf("tool", output)?.map((box) => box.corners)).toEqual([[1, 2, 9, 8], null]);
  });
});

test("a track is called by its class and number", () => {
  expect(nameOf({ tool: "t", trackId: 3, className: "car" })).toBe("car #3");
});
