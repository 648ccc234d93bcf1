import { expect, test, vi } from "vitest";

import { RowWindows, type LoadRows } from "./RowWindows";

const rowsFrom: LoadRows = (from, limit) =>
  Promise.resolve(Array.from({ length: limit }, (_, index) => ({ frame_index: from + index })));

test("a frame's row is unknown until its window is loaded, and all of the window is known then", async () => {
  const rows = new RowWindows(rowsFrom);

  expect(rows.get(300)).toBeUndefined();
  await rows.ensure(300);

  expect(rows.get(256)).toEqual({ frame_index: 256 });
  expect(rows.get(511)).toEqual({ frame_index: 511 });
  expect(rows.get(512)).toBeUndefined();
});

test("a frame without a row is known to have none, also where later rows fill the answer", async () => {
  const rows = new RowWindows(() => Promise.resolve([{ frame_index: 0 }, { frame_index: 300 }]));

  await rows.ensure(0);

  expect(rows.get(1)).toBeNull();
  expect(rows.get(300)).toBeUndefined();
});

test("a window is asked for once while it is being loaded", async () => {
  const load = vi.fn(rowsFrom);
  const rows = new RowWindows(load);

  await Promise.all([rows.ensure(1), rows.ensure(2), rows.ensure(255)]);

  expect(load).toHaveBeenCalledOnce();
});

test("a failed window is asked for again", async () => {
  const load = vi.fn(rowsFrom).mockRejectedValueOnce(new Error("down"));
  const rows = new RowWindows(load);

  await expect(rows.ensure(1)).rejects.toThrow("down");
  await rows.ensure(1);

  expect(rows.get(1)).toEqual({ frame_index: 1 });
});

test("the windows used last are kept when a video is long", async () => {
  const rows = new RowWindows(rowsFrom, 3);

  for (const frame of [0, 256, 512]) await rows.ensure(frame);
  rows.get(0);
  await rows.ensure(768);

  expect(rows.size).toBe(3);
  expect(rows.get(0)).toEqual({ frame_index: 0 });
  expect(rows.get(256)).toBeUndefined();
});
