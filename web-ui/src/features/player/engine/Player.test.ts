import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Row } from "@/lib/boxes/boxes";

import { FrameTable } from "./FrameTable";
import { overlayOf } from "./overlay";
import { Player } from "./Player";
import type { Shown } from "./Painter";
import { RowWindows } from "./RowWindows";
import { FakeVideo } from "./support/fakeVideo";
import { frameTableBytes } from "./support/frameTableBytes";

const GAP = 40_000;
const COUNT = 600;
const TOOL = ["t"];
const rowOf = (index: number): Row => ({
  frame_index: index,
  detections: { regions: [{ xyxy: [index, 0, index + 1, 1] }] },
});

interface Picture {
  close: () => void;
  isOpen: boolean;
}

function aPlayer({ count = COUNT, load = (from: number, limit: number) => Promise.resolve(rowsOf(from, limit)) } = {}) {
  const video = new FakeVideo();
  const shown: Shown[] = [];
  const pictures: Picture[] = [];
  const table = FrameTable.parse(frameTableBytes(Array.from({ length: count }, (_, index) => index * GAP)));
  const rows = new RowWindows(load);
  const take = () => {
    const picture: Picture = { isOpen: true, close: () => (picture.isOpen = false) };
    pictures.push(picture);
    return { picture: picture as unknown as Shown["picture"], timestampUs: video.shownUs };
  };
  const player = new Player({
    video: video as unknown as HTMLVideoElement,
    table,
    rows,
    painter: { show: (next) => shown.push(next) },
    overlayOf: (row) => overlayOf(row, TOOL),
    wayToTake: () => take,
  });
  return { player, video, shown, pictures, rows };
}

function rowsOf(from: number, limit: number): Row[] {
  return Array.from({ length: limit }, (_, index) => rowOf(from + index));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a picture and its boxes", () => {
  test("are drawn together, by the time of the picture that is drawn", async () => {
    const { player, video, shown, rows } = aPlayer();
    await rows.ensure(0);

    video.present(3 * GAP);

    expect(shown).toHaveLength(1);
    expect(shown[0]?.frameIndex).toBe(3);
    expect(shown[0]?.overlay?.boxes.map((box) => box.corners)).toEqual([[3, 0, 4, 1]]);
    expect(player.getState()).toMatchObject({ place: 3, announced: 1, drawn: 1, unknown: 0 });
  });

  test("have no boxes when the picture's time is no frame's, and that is counted", async () => {
    const { player, video, shown, rows } = aPlayer();
    await rows.ensure(0);

    video.present(3 * GAP + GAP / 2);

    expect(shown).toMatchObject([{ frameIndex: null, overlay: null }]);
    expect(player.getState()).toMatchObject({ place: null, announced: 1, drawn: 0, unknown: 1 });
  });

  test("wait for the row when it is not loaded, and the video waits with them", async () => {
    const { player, video, shown, rows } = aPlayer();
    await rows.ensure(0);
    player.play();

    video.present(300 * GAP);

    expect(shown).toEqual([]);
    expect(video.paused).toBe(true);
    expect(player.getState()).toMatchObject({ isWaiting: true, isPlaying: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toMatchObject([{ frameIndex: 300 }]);
    expect(video.paused).toBe(false);
    expect(player.getState()).toMatchObject({ isWaiting: false, drawn: 1 });
  });

  test("are replaced by newer ones that come while they wait", async () => {
    const { video, shown, pictures } = aPlayer();

    video.present(0);
    video.present(GAP);
    await vi.advanceTimersByTimeAsync(0);

    expect(shown).toMatchObject([{ frameIndex: 1 }]);
    expect(pictures.map((picture) => picture.isOpen)).toEqual([false, true]);
  });

  test("say so when the boxes cannot be loaded", async () => {
    const { player, video, shown } = aPlayer({ load: () => Promise.reject(new Error("down")) });

    video.present(GAP);
    await vi.advanceTimersByTimeAsync(0);

    expect(shown).toMatchObject([{ frameIndex: 1, overlay: null }]);
    expect(player.getState().drawn).toBe(0);
  });

  test("are asked for again by themselves while the picture stands still", async () => {
    const load = vi.fn((from: number, limit: number) => Promise.resolve(rowsOf(from, limit)));
    load.mockRejectedValueOnce(new Error("down")).mockRejectedValueOnce(new Error("down"));
    const { video, shown } = aPlayer({ load });
    video.present(70 * GAP);
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toMatchObject([{ frameIndex: 70, overlay: null }]);

    await vi.advanceTimersByTimeAsync(1_000);

    expect(shown.at(-1)?.overlay?.boxes.map((box) => box.corners)).toEqual([[70, 0, 71, 1]]);
  });

  test("that could not be loaded are not asked for on every frame, and the video plays on", async () => {
    const load = vi.fn(() => Promise.reject<Row[]>(new Error("down")));
    const { player, video, shown } = aPlayer({ load });
    player.play();
    video.present(0);
    await vi.advanceTimersByTimeAsync(0);
    const asked = load.mock.calls.length;

    for (let frame = 1; frame < 20; frame += 1) video.present(frame * GAP);

    expect(load).toHaveBeenCalledTimes(asked);
    expect(shown).toHaveLength(20);
    expect(video.paused).toBe(false);
    player.close();
  });

  test("of a frame that has no row have no boxes", async () => {
    const { video, shown } = aPlayer({ load: () => Promise.resolve([]) });

    video.present(GAP);
    await vi.advanceTimersByTimeAsync(0);

    expect(shown).toMatchObject([{ frameIndex: 1, overlay: { boxes: [] } }]);
  });

  test("are not drawn twice for one frame", async () => {
    const { player, video, shown, rows, pictures } = aPlayer();
    await rows.ensure(0);

    video.present(GAP);
    video.present(GAP);

    expect(shown).toHaveLength(1);
    expect(pictures[1]?.isOpen).toBe(false);
    expect(player.getState()).toMatchObject({ announced: 2, drawn: 2 });
  });
});

describe("going to a frame", () => {
  test("aims at the middle of its time and ends when its picture is there", async () => {
    const { player, video, rows } = aPlayer();
    await rows.ensure(0);
    video.present(0);

    player.goTo(10);
    video.shownUs = 10 * GAP;
    video.arrive();

    expect(video.sought).toEqual([(10 * GAP + GAP / 2) / 1e6]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(video.sought).toHaveLength(1);
    expect(player.getState()).toMatchObject({ place: 10, hasMissed: false });
  });

  test("takes the picture that is announced after the seek has ended", async () => {
    const { player, video, rows } = aPlayer();
    await rows.ensure(0);
    video.present(0);

    player.goTo(10);
    video.arrive();
    video.present(10 * GAP);
    await vi.advanceTimersByTimeAsync(5_000);

    expect(video.sought).toHaveLength(1);
    expect(player.getState().place).toBe(10);
  });

  test("nudges towards the frame while its neighbour is shown, and gives up after four", async () => {
    const { player, video, shown, rows } = aPlayer();
    await rows.ensure(0);
    video.present(0);

    player.goTo(10);
    for (let tries = 0; tries < 6; tries += 1) {
      video.shownUs = 9 * GAP;
      video.arrive();
      video.present(9 * GAP);
      await vi.advanceTimersByTimeAsync(250);
    }

    expect(video.sought).toHaveLength(5);
    expect(video.sought.every((seconds) => seconds > (10 * GAP) / 1e6 && seconds < (11 * GAP) / 1e6)).toBe(true);
    expect(video.sought[1]).toBeGreaterThan(video.sought[0] ?? Infinity);
    expect(player.getState()).toMatchObject({ place: 9, hasMissed: true });
    expect(shown.at(-1)?.frameIndex).toBe(9);
  });

  test("waits for a picture that comes late, and does not aim again meanwhile", async () => {
    const { player, video, rows } = aPlayer();
    await rows.ensure(0);
    video.present(0);

    player.goTo(10);
    video.arrive();
    await vi.advanceTimersByTimeAsync(1_500);
    video.present(10 * GAP);

    expect(video.sought).toHaveLength(1);
    expect(player.getState()).toMatchObject({ place: 10, hasMissed: false });
  });

  test("only the newest of many wishes is fulfilled after the seek that is under way", async () => {
    const { player, video, rows } = aPlayer();
    await rows.ensure(0);
    video.present(0);

    player.step(1);
    player.step(1);
    player.step(1);
    video.shownUs = GAP;
    video.arrive();

    expect(video.sought).toEqual([(1.5 * GAP) / 1e6, (3.5 * GAP) / 1e6]);
  });

  test.each([
    ["before the first", -5, 0.5],
    ["after the last", COUNT + 5, COUNT - 0.5],
  ])("a place %s is the nearest one there is", (_, place, middle) => {
    const { player, video } = aPlayer();

    player.goTo(place);

    expect(video.sought).toEqual([(middle * GAP) / 1e6]);
  });

  test("a video that plays is not pulled back to a frame it has passed", async () => {
    const { player, video, rows } = aPlayer();
    await rows.ensure(0);
    video.present(0);
    player.play();

    player.goTo(10);
    video.shownUs = 12 * GAP;
    video.arrive();
    await vi.advanceTimersByTimeAsync(5_000);

    expect(video.sought).toHaveLength(1);
    expect(player.getState()).toMatchObject({ isPlaying: true, hasMissed: false, place: 12 });
  });

  test("an empty table has nowhere to go", () => {
    const { player, video } = aPlayer({ count: 0 });

    player.goTo(3);

    expect(video.sought).toEqual([]);
  });
});

describe("playing", () => {
  test("starts over at the end, and stands still when it gets there", async () => {
    const { player, video, rows } = aPlayer();
    await rows.ensure(COUNT - 1);
    video.present((COUNT - 1) * GAP);

    player.toggle();
    expect(video.sought).toEqual([(0.5 * GAP) / 1e6]);
    video.dispatchEvent(new Event("ended"));

    expect(player.getState().isPlaying).toBe(false);
  });

  test.each([
    [0.01, 0.1],
    [4, 4],
    [20, 8],
  ])("speed %f is %f", (asked, allowed) => {
    const { player, video } = aPlayer();

    player.setSpeed(asked);

    expect(video.playbackRate).toBe(allowed);
    expect(player.getState().speed).toBe(allowed);
  });

  test("a closed player lets go of everything", () => {
    const { player, video, pictures, shown } = aPlayer();
    video.present(GAP);

    player.close();
    video.present(2 * GAP);
    video.arrive();

    expect(pictures.map((picture) => picture.isOpen)).toEqual([false]);
    expect(shown).toEqual([]);
  });
});
