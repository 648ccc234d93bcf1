import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { shortcuts } from "@/lib/shortcuts";

import type { ReviewSession } from "../engine/ReviewSession";
import { useReviewKeys, useZoomKeys } from "./useReviewKeys";

const ranges: [number, number][] = [[0, 9]];

function Page({ session }: { session: ReviewSession }) {
  useReviewKeys(session, ranges);
  return (
    <>
      <input aria-label="Some field" />
      <button type="button">Some button</button>
      <input type="checkbox" role="switch" aria-label="Some switch" />
      <div role="slider" tabIndex={0} aria-label="Some slider" aria-valuenow={0} />
    </>
  );
}

function show() {
  const player = { toggle: vi.fn(), step: vi.fn(), goTo: vi.fn() };
  const session = { player, table: { count: 7 }, goToDetection: vi.fn(), zoom: vi.fn(), setView: vi.fn() };
  const rendered = render(<Page session={session as unknown as ReviewSession} />);
  return { ...session, ...rendered };
}

test("space plays, comma and dot step, home and end go to the ends", async () => {
  const { player } = show();

  await userEvent.keyboard(" ,.{Home}{End}");

  expect(player.toggle).toHaveBeenCalledOnce();
  expect(player.step.mock.calls).toEqual([[-1], [1]]);
  expect(player.goTo.mock.calls).toEqual([[0], [6]]);
});

test("brackets go to the detections before and after", async () => {
  const { goToDetection } = show();

  await userEvent.keyboard("[[]");

  expect(goToDetection.mock.calls).toEqual([
    [-1, ranges],
    [1, ranges],
  ]);
});

test("keys belong to the field that is being filled in", async () => {
  const { player } = show();

  await userEvent.type(screen.getByRole("textbox"), "1. 2");

  expect(player.step).not.toHaveBeenCalled();
  expect(player.toggle).not.toHaveBeenCalled();
});

test("space presses the button that has the focus, other keys still go to the player", async () => {
  const { player } = show();
  screen.getByRole("button").focus();

  await userEvent.keyboard(" .");

  expect(player.toggle).not.toHaveBeenCalled();
  expect(player.step).toHaveBeenCalledOnce();
});

test("a switch keeps space only", async () => {
  const { player } = show();
  screen.getByRole("switch").focus();

  await userEvent.keyboard(" .{Home}");

  expect(screen.getByRole("switch")).toBeChecked();
  expect(player.toggle).not.toHaveBeenCalled();
  expect(player.step).toHaveBeenCalledOnce();
  expect(player.goTo).toHaveBeenCalledWith(0);
});

test("a slider keeps Home and End, and space still plays", async () => {
  const { player } = show();
  screen.getByRole("slider").focus();

  await userEvent.keyboard("{Home}{End} ,");

  expect(player.goTo).not.toHaveBeenCalled();
  expect(player.toggle).toHaveBeenCalledOnce();
  expect(player.step).toHaveBeenCalledWith(-1);
});

test("keys with a modifier are the browser's, and none are heard after the review is gone", async () => {
  const { player, unmount } = show();

  await userEvent.keyboard("{Control>}.{/Control}");
  unmount();
  await userEvent.keyboard(".");

  expect(player.step).not.toHaveBeenCalled();
});

test("the sheet of shortcuts lists the keys while the review is there", () => {
  const { unmount } = show();

  expect(shortcuts()).toContainEqual({ keys: ".", name: "Next frame", group: "Player" });
  unmount();
  expect(shortcuts()).toEqual([]);
});

function Picture({ session }: { session: ReviewSession }) {
  useZoomKeys(session);
  return null;
}

test("an image has the keys of the zoom, and the sheet lists no others", async () => {
  const session = { zoom: vi.fn(), setView: vi.fn() };
  render(<Picture session={session as unknown as ReviewSession} />);

  await userEvent.keyboard("+-0 .");

  expect(session.zoom).toHaveBeenCalledTimes(2);
  expect(session.setView).toHaveBeenCalledOnce();
  expect(shortcuts().map(({ keys }) => keys)).toEqual(expect.arrayContaining(["+", "-", "0"]));
  expect(shortcuts().map(({ keys }) => keys)).not.toContain(".");
});

test("shift with an arrow moves the picture", async () => {
  const session = { pan: vi.fn() };
  render(<Picture session={session as unknown as ReviewSession} />);

  await userEvent.keyboard("{Shift>}{ArrowLeft}{ArrowDown}{/Shift}{ArrowLeft}");

  expect(session.pan.mock.calls).toEqual([
    [60, 0],
    [0, -60],
  ]);
});
