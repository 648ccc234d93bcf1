import { beforeEach, expect, test, vi } from "vitest";

import type { Row } from "@/lib/boxes/boxes";

import { FrameTable } from "./FrameTable";
import { ReviewSession } from "./ReviewSession";
import type { LoadRows } from "./RowWindows";
import { FakeVideo } from "./support/fakeVideo";
import { frameTableBytes } from "./support/frameTableBytes";

const COUNT = 2_000;
const WHOLE: [number, number][] = [[0, COUNT - 1]];

beforeEach(() => void vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null));

function aSession(load: LoadRows) {
  const table = FrameTable.parse(frameTableBytes(Array.from({ length: COUNT }, (_, index) => index * 40_000)));
  const session = new ReviewSession(table, ["t"], load, { unknown: "", notLoaded: "" });
  const detach = session.attach(new FakeVideo() as unknown as HTMLVideoElement, document.createElement("canvas"));
  return { session, detach };
}

test("a search that finds no frame says so", async () => {
  const { session, detach } = aSession(() => Promise.resolve([]));

  await session.goToDetection(1, WHOLE);

  expect(session.getState().search).toBe("none");
  detach();
});

test("a search whose rows cannot be loaded is told from one that finds no frame", async () => {
  const { session, detach } = aSession(() => Promise.reject(new Error("down")));

  await session.goToDetection(1, WHOLE);

  expect(session.getState().search).toBe("failed");
  detach();
});

test("a search ends with its review: it loads no further rows", async () => {
  let answer: (rows: Row[]) => void = () => undefined;
  const load = vi.fn(() => new Promise<Row[]>((resolve) => (answer = resolve)));
  const { session, detach } = aSession(load);
  const search = session.goToDetection(1, WHOLE);

  detach();
  answer([]);
  await search;

  expect(load).toHaveBeenCalledOnce();
  expect(session.getState().search).toBeNull();
});
