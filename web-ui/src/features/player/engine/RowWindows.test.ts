import { expect, test, vi } from "vitest";

import type { Row } from "@/lib/boxes/boxes";

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

test("a failed window is asked for again after 1, 2, 4 and then every 8 seconds, and not before", async () => {
  vi.useFakeTimers();
  const load = vi.fn(() => Promise.reject<Row[]>(new Error("down")));
  const rows = new RowWindows(load);

  const pauses = [];
  for (let failures = 1; failures <= 5; failures += 1) {
    await expect(rows.ensure(1)).rejects.toThrow("down");
    await expect(rows.ensure(2)).rejects.toThrow("down");
    expect(load).toHaveBeenCalledTimes(failures);
    pauses.push(rows.waitOf(1));
    vi.advanceTimersByTime(rows.waitOf(1));
  }

  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  vi.useRealTimers();
});

test("a window that failed and then came is known, and the pause is forgotten", async () => {
  vi.useFakeTimers();
  const rows = new RowWindows(vi.fn(rowsFrom).mockRejectedValueOnce(new Error("down")));

  await expect(rows.ensure(1)).rejects.toThrow("down");
  vi.advanceTimersByTime(1_000);
  await rows.ensure(1);

  expect(rows.get(1)).toEqual({ frame_index: 1 });
  expect(rows.waitOf(1)).toBe(0);
  vi.useRealTimers();
});

test("the windows around are asked for once while the frames stay among them", async () => {
  const load = vi.fn(() => Promise.reject<Row[]>(new Error("down")));
  const rows = new RowWindows(load);

  for (let frame = 64; frame < 256; frame += 1) rows.prefetch(frame);

  expect(load.mock.calls).toEqual([
    [256, 256],
    [0, 256],
  ]);
  await Promise.resolve();
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
