import { expect, test } from "vitest";

import { Colours, type Named } from "./colours";

const track = (trackId: number, tool = "track-objects"): Named => ({ tool, trackId, className: "car" });
const ofTool = (tool: string): Named => ({ tool, trackId: null, className: null });

test("a track keeps its colour whatever its class", () => {
  const colours = new Colours();

  expect(colours.of(track(3))).toBe(colours.of({ ...track(3), className: "truck" }));
});

test("no two of many objects have the same colour", () => {
  const met = [
    ofTool("detect-motion"),
    { tool: "track-objects", trackId: null, className: "object" },
    ...Array.from({ length: 500 }, (_, number) => track(number)),
    track(2, "another-tool"),
  ];

  const colours = new Colours(met);

  expect(new Set(met.map((named) => colours.of(named))).size).toBe(met.length);
});

test("an object has the colour of every other page where that is free", () => {
  const alone = new Colours();
  const among = new Colours([track(1), track(2), track(7)]);

  expect(among.of(track(2))).toBe(alone.of(track(2)));
});

test("the same objects have the same colours again, whatever is drawn first", () => {
  const met = [track(2), ofTool("detect-motion"), track(14)];
  const once = new Colours(met);
  const again = new Colours(met);
  again.of(track(26));

  const backwards = [...met].reverse().map((named) => again.of(named));

  expect(backwards.reverse()).toEqual(met.map((named) => once.of(named)));
});

test("a dot on the radar, whose tool is not known, has the colour of its track", () => {
  const colours = new Colours([track(4)]);

  expect(colours.of({ tool: "", trackId: 4, className: null })).toBe(colours.of(track(4)));
});
