import { MantineProvider } from "@mantine/core";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";

import type { Lane, Timeline, useTimeline } from "../api/timeline";
import { FrameTable } from "../engine/FrameTable";
import { ReviewSession } from "../engine/ReviewSession";
import { frameTableBytes } from "../engine/support/frameTableBytes";
import { Findings } from "./Findings";

function aLane(changes: Partial<Lane> = {}): Lane {
  return {
    kind: "class",
    tool: "track-objects",
    class: "car",
    track_id: null,
    frames: 40,
    detections: 60,
    first_frame: 10,
    last_frame: 90,
    runs: [[1, 9, 60]],
    ...changes,
  };
}

function show(lanes: Lane[], { omitted = 0, error = null as Error | null, isThere = true, analysed = 100 } = {}) {
  const table = FrameTable.parse(frameTableBytes(Array.from({ length: 100 }, (_, index) => index * 40_000)));
  const session = new ReviewSession(table, ["t"], () => Promise.resolve([]), { unknown: "", notLoaded: "" });
  const goToFrame = vi.spyOn(session, "goToFrame");
  const facts: Partial<Timeline> = { bins: 10, total_frames: 100, lanes, lanes_omitted: omitted };
  const refetch = vi.fn();
  const timeline = { data: isThere ? facts : undefined, error, refetch } as unknown as ReturnType<typeof useTimeline>;
  render(
    <MantineProvider env="test">
      <Findings session={session} timeline={timeline} analysed={analysed} />
    </MantineProvider>,
  );
  return { session, goToFrame, refetch };
}

// What jsdom has neither of: a layout, by which the table knows its rows in sight, and a canvas.
beforeEach(() => {
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(300);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
});

describe("what was found", () => {
  test("is listed with its first and last frame", () => {
    show([aLane(), aLane({ kind: "track", track_id: 3, first_frame: 12, last_frame: 1_500, frames: 9 })]);

    const row = within(screen.getByRole("row", { name: /car #3/ }));
    expect(row.getByRole("button", { name: "Show frame 12" })).toBeVisible();
    expect(row.getByRole("button", { name: "Show frame 1500" })).toHaveTextContent("1,500");
    expect(row.getByText("9")).toBeVisible();
  });

  test("is shown at its first frame and marked when it is chosen", async () => {
    const { goToFrame } = show([aLane(), aLane({ kind: "track", track_id: 3, first_frame: 12 })]);

    await userEvent.click(screen.getByRole("button", { name: "car #3" }));

    expect(goToFrame).toHaveBeenCalledWith(12);
    expect(screen.getByRole("row", { name: /car #3/ })).toHaveAttribute("aria-selected", "true");
    expect(screen.getByRole("row", { name: /^car track/ })).toHaveAttribute("aria-selected", "false");
  });

  test("is shown at any of its frames", async () => {
    const { goToFrame } = show([aLane()]);

    await userEvent.click(screen.getByRole("button", { name: "Show frame 90" }));

    expect(goToFrame).toHaveBeenCalledWith(90);
  });

  test("is only in part on the page when there is much of it", () => {
    show(Array.from({ length: 500 }, (_, index) => aLane({ kind: "track", track_id: index })));

    const shown = screen.getAllByRole("row").length;
    expect(shown).toBeGreaterThan(5);
    expect(shown).toBeLessThan(40);
    expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "501");
    expect(screen.getByText("500 in all")).toBeVisible();
  });

  test("says how many lanes the server left out", () => {
    show([aLane()], { omitted: 12 });

    expect(screen.getByText("12 more lanes are not shown.")).toBeVisible();
  });
});

test("lanes, rows and boxes have the same colours, and no two lanes the same", () => {
  const setColours = vi.spyOn(ReviewSession.prototype, "setColours");
  const lanes = [
    aLane({ tool: "detect-motion", class: null }),
    ...[1, 2, 13, 14].map((id) => aLane({ kind: "track", track_id: id })),
  ];
  show(lanes);

  const colours = setColours.mock.lastCall?.[0];
  const drawn = screen.getAllByRole("row").slice(1);
  const shown = drawn.map((row) => row.querySelector("rect")?.getAttribute("fill"));
  const boxes = lanes.map(({ tool, class: className, track_id: trackId }) => colours?.of({ tool, className, trackId }));
  expect(shown).toEqual(boxes);
  expect(new Set(shown).size).toBe(lanes.length);
});

test("frames that were never analysed are told as such", () => {
  show([aLane()], { analysed: 60 });

  expect(screen.getByText("Frames 60 to 99 were not analyzed: the job ended before them.")).toBeVisible();
});

test("of a job that saw every frame nothing is said to be missing", () => {
  show([aLane()]);

  expect(screen.queryByText(/not analyzed/)).toBeNull();
});

test("nothing found is said, with what to do next", () => {
  show([]);

  expect(screen.getByRole("heading", { name: "Nothing was found" })).toBeVisible();
});

test("a timeline that cannot be loaded is asked for again", async () => {
  const { refetch } = show([], { error: new Error("down"), isThere: false });

  await userEvent.click(screen.getByRole("button", { name: "Try again" }));

  expect(refetch).toHaveBeenCalledOnce();
});

test.each([
  ["{ArrowRight}", 1],
  ["{ArrowLeft}", -1],
  ["{PageDown}", 10],
  ["{PageUp}", -10],
])("the timeline's key %s steps by %i", async (key, by) => {
  const { session } = show([aLane()]);
  const step = vi.fn();
  session.player = { step } as unknown as ReviewSession["player"];
  screen.getByRole("slider", { name: "Timeline of frames" }).focus();

  await userEvent.keyboard(key);

  expect(step).toHaveBeenCalledWith(by);
});

test.each([
  ["{Home}", 0],
  ["{End}", 99],
])("the timeline's key %s goes to frame %i", async (key, place) => {
  const { session } = show([aLane()]);
  const goTo = vi.fn();
  session.player = { goTo } as unknown as ReviewSession["player"];
  screen.getByRole("slider", { name: "Timeline of frames" }).focus();

  await userEvent.keyboard(key);

  expect(goTo).toHaveBeenCalledExactlyOnceWith(place);
});
