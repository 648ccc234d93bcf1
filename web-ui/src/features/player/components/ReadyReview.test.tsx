import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { problemOf, RequestFailed } from "@/lib/problem";

import { FrameTable } from "../engine/FrameTable";
import { frameTableBytes } from "../engine/support/frameTableBytes";
import { ReadyReview } from "./ReadyReview";

const asked = vi.hoisted(() => ({ playable: vi.fn<() => Promise<unknown>>() }));
vi.mock("../api/playable", () => ({ playableAddress: () => "/media", askPlayable: asked.playable }));
vi.mock("../api/timeline", () => ({
  useTimeline: () => ({ data: { bins: 10, total_frames: 3, lanes: [], lanes_omitted: 0 }, error: null }),
}));

// What jsdom lacks: a canvas, and videos that announce their pictures.
beforeEach(() => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
  vi.stubGlobal("VideoFrame", vi.fn());
  Object.assign(HTMLVideoElement.prototype, {
    requestVideoFrameCallback: () => 1,
    cancelVideoFrameCallback: () => undefined,
  });
});

const TABLE = FrameTable.parse(frameTableBytes([0, 40_000, 80_000]));
const WANTED = { frame: 0 };
const JOB = { id: "j1", tools: ["t"], analysed: 3 };

function showFailing(code: number) {
  const { container } = render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider env="test">
        <ReadyReview job={JOB} table={TABLE} wanted={WANTED} addressOf={String} />
      </MantineProvider>
    </QueryClientProvider>,
  );
  const video = container.querySelector("video") as HTMLVideoElement;
  Object.defineProperty(video, "error", { value: { code } });
  fireEvent.error(video);
  return { container, video };
}

test("a video that the browser cannot decode is told as such, and what was found stays", async () => {
  asked.playable.mockResolvedValue({});

  showFailing(3);

  expect(await screen.findByText("This browser cannot play the video")).toBeVisible();
  expect(screen.getByRole("heading", { name: "Timeline" })).toBeVisible();
});

test("a connection that broke off is told as such, and the video is loaded again", async () => {
  asked.playable.mockResolvedValue({});
  const { container, video } = showFailing(2);
  expect(await screen.findByText("The video stopped loading")).toBeVisible();

  await userEvent.click(screen.getByRole("button", { name: "Try again" }));

  expect(screen.queryByRole("alert")).toBeNull();
  expect(container.querySelector("video")).not.toBe(video);
  expect(container.querySelector("video")).toHaveAttribute("src", "/media");
});

test("a refusal of the server is shown in its own words, though the browser takes it for a bad source", async () => {
  asked.playable.mockRejectedValue(new RequestFailed(problemOf(503, { title: "The store is full" })));

  showFailing(4);

  expect(await screen.findByText("The store is full")).toBeVisible();
});
