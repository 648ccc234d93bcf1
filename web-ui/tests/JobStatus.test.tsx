import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { JobStatus } from "@/features/realtime/JobStatus";
import type { JobFacts } from "@/features/realtime/view/jobFacts";

import { JOB } from "./support/messages";
import { renderInPage } from "./support/renderInPage";
import { FakeSocket, fakeSockets } from "./support/sockets";

beforeEach(() => {
  vi.useFakeTimers();
  fakeSockets();
  vi.stubGlobal("WebSocket", FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
});

const pending: JobFacts = {
  status: "pending",
  percent: null,
  currentFrame: null,
  totalFrames: null,
  toolsTotal: 2,
  toolsCompleted: 0,
  error: null,
};
const half = { job_id: JOB, current_frame: 50, total_frames: 100, percent: 50, tools_total: 2, tools_completed: 0 };

function show(known: JobFacts = pending, askJob = vi.fn(() => Promise.resolve(pending))) {
  renderInPage(
    <QueryClientProvider client={new QueryClient()}>
      <JobStatus jobId={JOB} known={known} askJob={askJob} resultsHref="/v1/jobs/1/result" />
    </QueryClientProvider>,
  );
  return askJob;
}

function say(event: unknown) {
  act(() => {
    FakeSocket.last.accept();
    FakeSocket.last.say(event);
  });
}

test("a job that waits is pending", () => {
  show();

  expect(screen.getByText("Status: pending")).toBeVisible();
  expect(screen.getByRole("progressbar")).not.toHaveAttribute("aria-valuenow");
});

test("a running job shows per cent, frame and tool", () => {
  show();

  say(half);

  for (const text of ["Status: running", "50%", "Frame 50 / 100", "Tool: 1 of 2"]) {
    expect(screen.getByText(text)).toBeVisible();
  }
});

test("an open socket is Live, and nothing is asked over HTTP", async () => {
  const askJob = show();
  say(half);

  await act(() => vi.advanceTimersByTimeAsync(10_000));

  expect(screen.getByTitle("WebSocket connected")).toHaveTextContent("Live");
  expect(askJob).not.toHaveBeenCalled();
});

test("a completed job offers its results, and one known to have ended opens no socket", async () => {
  const askJob = show({ ...pending, status: "completed", percent: 100, currentFrame: 100, totalFrames: 100 });

  await act(() => vi.advanceTimersByTimeAsync(10_000));

  expect(screen.getByText("Status: completed")).toBeVisible();
  expect(screen.getByRole("link", { name: "Results" })).toHaveAttribute("href", "/v1/jobs/1/result");
  expect(FakeSocket.opened).toHaveLength(0);
  expect(askJob).not.toHaveBeenCalled();
});

test("a failed job says why in an alert", () => {
  show();

  say({ status: "error", job_id: JOB, message: "no luck at frame 17" });

  expect(screen.getByRole("alert")).toHaveTextContent("Error: no luck at frame 17");
  expect(screen.getAllByText(/failed/i)).toHaveLength(2);
});

test("while the socket is down the job is asked for every 2 s", async () => {
  const askJob = show(
    pending,
    vi.fn(() => Promise.resolve({ ...pending, status: "running" as const, percent: 30, currentFrame: 30 })),
  );
  expect(screen.getByTitle("Using HTTP polling")).toHaveTextContent("Polling");
  expect(askJob).not.toHaveBeenCalled();

  await act(() => vi.advanceTimersByTimeAsync(2010));
  expect(askJob).toHaveBeenCalledTimes(1);
  expect(screen.getByText("30%")).toBeVisible();

  await act(() => vi.advanceTimersByTimeAsync(2000));
  expect(askJob).toHaveBeenCalledTimes(2);
});

test("after a break the polled figures count, not the last that the socket said", async () => {
  show(
    pending,
    vi.fn(() => Promise.resolve({ ...pending, status: "running" as const, percent: 70, currentFrame: 70 })),
  );
  say(half);
  await act(() => vi.advanceTimersByTimeAsync(3_000));
  act(() => FakeSocket.last.end());
  await act(() => vi.advanceTimersByTimeAsync(1_000));
  expect(screen.getByText("70%")).toBeVisible();
  await act(() => vi.advanceTimersByTimeAsync(1_010));
  act(() => FakeSocket.last.accept());
  expect(screen.getByText("70%")).toBeVisible();
});

test("when polling learns of the end, no socket is opened any more", async () => {
  show(
    pending,
    vi.fn(() => Promise.resolve({ ...pending, status: "completed" as const, percent: 100 })),
  );
  say(half);
  await act(() => vi.advanceTimersByTimeAsync(3_000));
  act(() => FakeSocket.last.end());
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(screen.getByText("Status: completed")).toBeVisible();
  expect(FakeSocket.opened).toHaveLength(1);
});
