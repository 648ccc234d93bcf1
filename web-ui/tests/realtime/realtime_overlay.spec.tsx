import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { EndedFacts } from "@/features/realtime/overlayFacts";
import { RealtimeClient } from "@/features/realtime/RealtimeClient";
import { RealtimeProvider } from "@/features/realtime/RealtimeContext";
import { RealtimeOverlay } from "@/features/realtime/RealtimeOverlay";

import { fakeCanvas } from "../support/canvas";
import type { Painted } from "../support/canvas";
import { failure, frame, JOB, metadata, partialResult, pluginStatus, progress, warning } from "../support/messages";
import { renderInPage } from "../support/renderInPage";
import { FakeSocket, fakeSockets } from "../support/sockets";

let client: RealtimeClient;
let painted: Painted;

beforeEach(() => {
  localStorage.clear();
  painted = fakeCanvas();
  client = new RealtimeClient({ openSocket: fakeSockets(), random: () => 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

function showWith(...messages: unknown[]) {
  renderInPage(
    <RealtimeProvider client={client} jobId={JOB}>
      <RealtimeOverlay />
    </RealtimeProvider>,
  );
  act(() => {
    FakeSocket.last.accept();
    for (const message of messages) FakeSocket.last.say(message);
  });
}

const say = (message: unknown) => act(() => FakeSocket.last.say(message));
const inspector = () => screen.getByRole("region", { name: "Plugin inspector" });

test("bar and inspector are inside, with what the messages say", () => {
  showWith(metadata(), pluginStatus(), progress(20, { fps: 42.25, stage: "processing" }));

  expect(screen.getByRole("progressbar")).toHaveAttribute("id", "progress-bar");
  expect(screen.getByText("Frame 20 of 100 · 42.3 frames/s · detect-motion · processing")).toBeVisible();
  expect(within(inspector()).getByRole("heading", { name: "motion-detector" })).toBeVisible();
  expect(within(inspector()).getByText("3.3 ms")).toBeVisible();
});

test("the state of the connection is shown", () => {
  showWith();
  expect(screen.getByText("Live")).toBeVisible();

  act(() => FakeSocket.last.end());

  expect(screen.getByText("Reconnecting")).toBeVisible();
});

test("the newest frame is painted with its boxes and labels", async () => {
  showWith(
    frame(7, { boxes: [] }),
    frame(8, {
      boxes: [
        { x: 100, y: 50, width: 80, height: 40, confidence: 0.9, class: "car", track_id: 1 },
        { x: 300, y: 60, width: 80, height: 40, confidence: null, class: null },
      ],
    }),
  );

  expect(await screen.findByRole("img", { name: "Frame 8 with 2 boxes" })).toBeVisible();
  expect(painted).toEqual({
    pictures: 1,
    boxes: [
      [100, 50],
      [300, 60],
    ],
    labels: ["car #1 90%", "motion-detector"],
  });
});

test("boxes can be switched off on the picture that is shown", async () => {
  showWith(frame(8));
  await screen.findByRole("img", { name: "Frame 8 with 1 box" });
  expect(painted.boxes).toHaveLength(1);

  await userEvent.click(screen.getByRole("switch", { name: "Boxes" }));

  expect(painted.boxes).toHaveLength(0);
  expect(painted.labels).toEqual(["car #1 90%"]);
});

test("warnings reach the inspector and accumulate", () => {
  showWith(warning(0, "a frame was damaged"));

  say(warning(1, "another one"));

  const log = within(inspector()).getByRole("log", { name: "Warnings" });
  expect(log).toHaveTextContent("a frame was damaged");
  expect(log).toHaveTextContent("another one");
});

test("an error message is an alert with what to do next", () => {
  showWith(failure("The plugin raised at frame 17. Fix it and submit again."));

  expect(screen.getByRole("alert")).toHaveTextContent("The plugin raised an error");
  expect(screen.getByRole("alert")).toHaveTextContent("Fix it and submit again.");
});

test("when all tries failed the connection is closed, and a button reconnects", () => {
  vi.useFakeTimers();
  showWith(progress(20));
  for (let failures = 0; failures < 6; failures += 1) {
    act(() => {
      FakeSocket.last.end();
      vi.advanceTimersByTime(16_000);
    });
  }
  expect(screen.getByText("Closed")).toBeVisible();
  expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "20");

  act(() => screen.getByRole("button", { name: "Reconnect" }).click());

  expect(screen.getByText("Connecting")).toBeVisible();
  expect(FakeSocket.opened).toHaveLength(7);
});

test("a running job that falls silent is stale, and since when; a word from it ends that", () => {
  vi.useFakeTimers();
  showWith(progress(20));
  expect(screen.queryByText(/Stale/)).not.toBeInTheDocument();

  act(() => {
    vi.advanceTimersByTime(4000);
  });
  expect(screen.getByText(/Stale since 4 s/)).toBeVisible();

  say(progress(21));
  expect(screen.queryByText(/Stale/)).not.toBeInTheDocument();
});

test("pitch and radar have their toggles when the output has them, and name the frame of their row", async () => {
  const row = {
    frame_index: 5,
    detections: {
      pitch: [
        [
          [0, 0],
          [9, 9],
        ],
      ],
      radar: [{ x: 0.5, y: 0.5 }],
    },
  };
  showWith(frame(8), partialResult([row]));
  expect(screen.getByText("Pitch, frame 5")).toBeVisible();
  expect(screen.getByRole("img", { name: "Radar with 1 dot" })).toBeVisible();

  await userEvent.click(screen.getByRole("switch", { name: "Pitch" }));

  expect(screen.queryByText("Pitch, frame 5")).not.toBeInTheDocument();
  expect(screen.getByText("Radar, frame 5")).toBeVisible();
});

const ended: EndedFacts = {
  status: "failed",
  progress: 40,
  currentFrame: 40,
  totalFrames: 100,
  plugin: {
    name: "motion-detector",
    budgetMs: 20,
    timings: { "motion-detector.detect-motion": 2, "motion-detector.track-objects": 4, "motion-detector": 6 },
  },
  warnings: [{ index: 0, text: "a frame was damaged", severity: "high", frameIndex: 3 }],
  device: { used: "cpu", fallback: true, fallbackReason: "no GPU was free" },
  error: { title: "The plugin raised an error", detail: "Fix it and submit again." },
};

test("an ended job is shown from its record, without a provider and without a socket", () => {
  renderInPage(<RealtimeOverlay endedFacts={ended} />);

  expect(FakeSocket.opened).toHaveLength(0);
  expect(screen.getByRole("progressbar", { name: "Failed" })).toHaveAttribute("aria-valuenow", "40");
  const steps = within(inspector()).getAllByRole("listitem");
  expect(steps.map((step) => step.textContent)).toEqual(["1. detect-motion2.0 ms", "2. track-objects4.0 ms"]);
  expect(screen.getByText(/6.0 ms of a budget of 20.0 ms/)).toBeVisible();
  expect(screen.getByRole("log")).toHaveTextContent("a frame was damaged frame 3");
  expect(screen.getByText("Fallback: no GPU was free")).toBeVisible();
  expect(screen.getByRole("alert")).toHaveTextContent("Fix it and submit again.");
});
