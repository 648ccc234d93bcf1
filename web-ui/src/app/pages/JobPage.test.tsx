import { configure, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse, ws } from "msw";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { frameTableBytes } from "@/features/player/engine/support/frameTableBytes";
import { isApiKeyWanted, keepApiKey } from "@/lib/apiKey";

import { holdClock, pass } from "../../../tests/support/clock";
import { answersMaking, answersRecord, aRecord, JOB, refuses } from "../../../tests/support/jobRecord";
import { renderPage } from "../../../tests/support/page";
import { aPlugin, aReport } from "../../../tests/support/plugins";
import { fakeNetwork, server } from "../../../tests/support/server";
import { JobPage } from "./JobPage";

fakeNetwork();

const open = (hash = "") => renderPage(JobPage, "/jobs/:jobId", `/jobs/${JOB}${hash}`);
const section = (name: string) => within(screen.getByRole("region", { name }));

/** A server that takes the socket and says nothing. */
const silentSocket = () => ws.link("*/v1/realtime*").addEventListener("connection", () => undefined);

configure({ asyncUtilTimeout: 5_000 }); // a busy machine

beforeEach(() => {
  keepApiKey(null);
  server.use(
    answersMaking(null),
    silentSocket(),
    ws.link("*/ws/jobs/*").addEventListener("connection", () => undefined),
    http.get("*/v1/plugins/motion-detector", () =>
      HttpResponse.json(aReport(aPlugin({ state: "UNAVAILABLE", reason: "No runner has it." }))),
    ),
  );
});

describe("a job that cannot be shown", () => {
  test("says that it is loading", () => {
    server.use(answersRecord(aRecord()));

    open();

    expect(screen.getByRole("status")).toHaveTextContent("Loading the job");
  });

  test("tells what the server said when there is none", async () => {
    server.use(refuses("/extended", 404, "There is no such job", "Jobs are removed after a week."));

    open();

    expect(await screen.findByRole("alert")).toHaveTextContent(/There is no such job.*removed after a week/);
    expect(screen.getByRole("button", { name: "Try again" })).toBeEnabled();
  });

  test("stays on the page when the server is not reached any more, and says since when", async () => {
    server.use(answersRecord(aRecord({ status: "running", completed_at: null })));
    const { client } = open();
    await screen.findByRole("heading", { name: "traffic.mp4" });

    server.use(http.get(`*/v1/jobs/${JOB}/extended`, () => HttpResponse.error()));
    await client.refetchQueries({ queryKey: ["job", JOB], exact: true });

    expect(await screen.findByText(/^Not reached for/)).toBeVisible();
    expect(screen.getByRole("heading", { name: "traffic.mp4" })).toBeVisible();
  });

  test("says what a server that is reached refuses, and does not ask again for a job that is gone", async () => {
    holdClock();
    const asked = vi.fn();
    server.use(answersRecord(aRecord({ status: "running", completed_at: null })));
    open();
    await screen.findByRole("heading", { name: "traffic.mp4" });
    server.use(
      http.get(`*/v1/jobs/${JOB}/extended`, () => {
        asked();
        return HttpResponse.json({ title: "There is no such job", status: 404 }, { status: 404 });
      }),
    );
    await pass(2_000);
    expect(await screen.findByText("There is no such job. What you see is the last that was known.")).toBeVisible();
    expect(screen.queryByText(/Not reached/)).toBeNull();
    await pass(10_000);
    expect(asked).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });

  test("asks for a key when the conversion of its video is refused for want of one", async () => {
    server.use(answersRecord(aRecord()), refuses("/playable", 401, "A key is needed", "Enter one."));
    open();
    await waitFor(() => expect(isApiKeyWanted()).toBe(true));
  });
});

describe("a job that has not ended", () => {
  test("waits for a runner", async () => {
    server.use(answersRecord(aRecord({ status: "pending", progress: null, current_frame: null, attempts: [] })));

    open();

    expect(await screen.findByRole("heading", { name: "Waiting for a runner" })).toBeVisible();
    expect(section("Attempts").getByText("No runner has taken the job yet.")).toBeVisible();
    expect(screen.queryByRole("region", { name: "Downloads" })).toBeNull();
  });

  test("is asked for again, and its review opens when it has ended", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    server.use(answersRecord(aRecord({ status: "running", completed_at: null })));
    open();
    await screen.findByRole("region", { name: "Job at a glance" });

    server.use(answersRecord(aRecord()));
    await vi.advanceTimersByTimeAsync(2_000);

    expect(await screen.findByText("Converting the video")).toBeVisible();
    vi.useRealTimers();
  });

  test("tells its status, frame and tool in words", async () => {
    server.use(answersRecord(aRecord({ status: "running", current_frame: 50, tools_total: 2, tools_completed: 0 })));
    open();
    const status = within(await screen.findByRole("region", { name: "Job status" }));
    for (const text of ["Status: running", "Frame 50 / 377", "Tool: 1 of 2"]) {
      expect(status.getByText(text)).toBeVisible();
    }
    expect(document.querySelectorAll("#progress-bar")).toHaveLength(1);
    expect(screen.getAllByRole("progressbar", { name: "Analyzing" })).toHaveLength(1);
    await waitFor(() => expect(status.getByTitle("WebSocket connected")).toHaveTextContent("Live"));
  });

  test("shows the device that it runs on, and why it is not the preferred one", async () => {
    server.use(
      answersRecord(
        aRecord({
          status: "running",
          device_used: "cpu",
          fallback: true,
          fallback_reason: "The GPU has no memory left.",
        }),
      ),
    );
    open();
    const device = within(await screen.findByRole("region", { name: "Device CPU" }));
    expect(device.getByText("Fallback: The GPU has no memory left.")).toBeVisible();
  });

  test("can be cancelled", async () => {
    const cancelled = vi.fn();
    server.use(
      answersRecord(aRecord({ status: "running", completed_at: null })),
      http.post(`*/v1/jobs/${JOB}/cancel`, () => {
        cancelled();
        return HttpResponse.json(aRecord({ status: "cancelled" }));
      }),
    );
    open();

    await userEvent.click(await screen.findByRole("button", { name: "Cancel job" }));

    await waitFor(() => expect(cancelled).toHaveBeenCalledOnce());
  });
});

describe("a job that failed", () => {
  const failed = aRecord({
    status: "failed",
    error_code: "PLUGIN_CRASH",
    error_message: "The plugin's process died at frame 120 for the third time; a row was expected.",
    current_frame: 120,
    attempt: 2,
    attempts: [
      { number: 1, runner_id: "box-1", started_at: "2026-01-01T12:00:00.000Z", outcome: "lost", frame: 60 },
      {
        number: 2,
        runner_id: "box-2",
        started_at: "2026-01-01T12:01:00.000Z",
        outcome: "crashed",
        frame: 120,
        log_tail: "Segmentation fault",
      },
    ],
  });

  test("shows cause, frame, what to do next and the log", async () => {
    server.use(answersRecord(failed));

    open();

    const alert = within(await screen.findByRole("alert"));
    expect(alert.getByText("The job failed: the plugin's process died")).toBeVisible();
    expect(alert.getByText(/died at frame 120 for the third time/)).toBeVisible();
    expect(alert.getByRole("button", { name: /Show frame 119/ })).toBeVisible();
    expect(alert.getByText(/Submit it again/)).toBeVisible();
    expect(alert.getByText("Segmentation fault")).toBeInTheDocument();
  });

  test("shows each attempt with its outcome and frame, the present one marked", async () => {
    server.use(answersRecord(failed));

    open();
    await screen.findByRole("alert");

    const attempts = section("Attempts");
    expect(attempts.getByText("lost")).toBeVisible();
    expect(attempts.getByText("frame 60")).toBeVisible();
    expect(attempts.getByText("crashed")).toBeVisible();
  });

  test("is submitted again with its options, and the new job opens", async () => {
    const asked = vi.fn();
    server.use(
      answersRecord(failed),
      http.post(`*/v1/jobs/${JOB}/retry`, async ({ request }) => {
        asked(await request.json());
        return HttpResponse.json({ job_id: "01928f7e-0000-7c4e-9d2f-3f5b8a1c7e60" }, { status: 202 });
      }),
      http.get("*/v1/jobs/01928f7e-0000-7c4e-9d2f-3f5b8a1c7e60/extended", () =>
        HttpResponse.json(aRecord({ status: "pending", filename: "again.mp4" })),
      ),
    );
    const { router } = open();

    await userEvent.click(await screen.findByRole("button", { name: "Submit again" }));

    await waitFor(() => expect(router.state.location.pathname).toBe("/jobs/01928f7e-0000-7c4e-9d2f-3f5b8a1c7e60"));
    expect(asked).toHaveBeenCalledWith({});
  });

  test("says why it cannot be submitted again", async () => {
    server.use(answersRecord(failed), refuses("/retry", 404, "There is no such job", "Its input was removed."));
    open();

    await userEvent.click(await screen.findByRole("button", { name: "Submit again" }));

    expect(await screen.findByText("Its input was removed.")).toBeVisible();
  });

  test("has nothing to review when it failed before its first frame", async () => {
    server.use(answersRecord({ ...failed, current_frame: 0 }));

    open();

    expect(await screen.findByRole("heading", { name: "There is nothing to review" })).toBeVisible();
  });
});

describe("a job that has ended", () => {
  test("shows what was submitted, where the time went and what was found", async () => {
    server.use(answersRecord(aRecord()));

    open();

    expect(await screen.findByText("192 detections (car 20)")).toBeVisible();
    expect(screen.getByText("Frame 377 of 377")).toBeVisible();
    expect(screen.getByLabelText("Options")).toHaveTextContent('"threshold": 3');
    expect(section("Where the time went").getByText("2453.0 ms")).toBeVisible();
  });

  test("tells what its plugin is, its budget and its health", async () => {
    server.use(answersRecord(aRecord()));
    open();
    const plugin = within(await screen.findByRole("article", { name: "motion-detector" }));
    expect(await plugin.findByText(/^version 0.1.0 · motion/)).toBeVisible();
    expect(plugin.getByText("No runner has it.")).toBeVisible();
  });

  test("offers every form of its result, with the key that links need", async () => {
    keepApiKey("secret");
    server.use(answersRecord(aRecord()));

    open();
    await screen.findByRole("heading", { name: "traffic.mp4" });

    const downloads = section("Downloads");
    for (const [name, format] of [
      ["JSON", "json"],
      ["JSON lines", "jsonl"],
      ["CSV", "csv"],
    ] as const) {
      const link = downloads.getByRole("link", { name });
      expect(link).toHaveAttribute("href", `/v1/jobs/${JOB}/result?format=${format}&api_key=secret`);
      expect(link).toHaveAttribute("download", `traffic.${format}`);
    }
    expect(downloads.getByRole("link", { name: "Original file" })).toHaveAttribute("download", "traffic.mp4");
  });

  test("draws the annotated video when it is wanted, and shows how far it is", async () => {
    const preferred = vi.fn();
    server.use(
      answersRecord(aRecord()),
      http.get(`*/v1/jobs/${JOB}/result`, ({ request }) => {
        preferred(request.headers.get("Prefer"));
        return HttpResponse.json({ job_id: JOB, state: "making", progress: 40 }, { status: 202 });
      }),
    );
    open();

    await userEvent.click(await screen.findByRole("button", { name: "Annotated MP4" }));

    expect(await screen.findByText("Drawing the boxes into the video · 40%")).toBeVisible();
    expect(preferred).toHaveBeenCalledWith("respond-async");
  });

  test("lists its warnings with the frames they are about", async () => {
    server.use(
      answersRecord(
        aRecord({
          warning_entries: [
            { index: 0, text: "Two pictures are damaged.", frame_index: 41, severity: "high" },
            { index: 1, text: "The rate is not even.", frame_index: null, severity: "low" },
          ],
        }),
      ),
    );

    open();
    await screen.findByRole("heading", { name: "traffic.mp4" });

    const warnings = within(screen.getByRole("log", { name: "Warnings" }));
    expect(warnings.getByText("Two pictures are damaged.")).toBeVisible();
    expect(warnings.getByRole("button", { name: "frame 41" })).toBeVisible();
    expect(warnings.getAllByRole("button")).toHaveLength(1);
  });

  test("shows how far the conversion of its video is", async () => {
    server.use(answersRecord(aRecord()), answersMaking(35));

    open();

    expect(await screen.findByText("35%")).toBeVisible();
  });

  test("of a video that browsers play says that its frames are counted, not that it is converted", async () => {
    server.use(
      answersRecord(aRecord()),
      http.get(
        `*/v1/jobs/${JOB}/playable`,
        () => new HttpResponse("x", { headers: { "Forgesyte-Playable": "input" } }),
      ),
      http.get(`*/v1/jobs/${JOB}/frames`, () =>
        HttpResponse.json({ job_id: JOB, state: "making", progress: 35 }, { status: 202 }),
      ),
    );

    open();

    expect(await screen.findByText("Counting the frames")).toBeVisible();
    expect(screen.queryByText("Converting the video")).toBeNull();
  });

  test("tells when its rows have no times, and what to do then", async () => {
    server.use(
      answersRecord(aRecord()),
      http.get(
        `*/v1/jobs/${JOB}/playable`,
        () => new HttpResponse("x", { headers: { "Forgesyte-Playable": "input" } }),
      ),
      refuses("/frames", 404, "There is no such job", "It was analysed by an older version; submit it again."),
    );

    open();

    expect(await screen.findByText(/analysed by an older version/)).toBeVisible();
  });

  test("says that a converted copy is shown, and asks for the copy's own times", async () => {
    const of = vi.fn();
    server.use(
      answersRecord(aRecord()),
      http.get(`*/v1/jobs/${JOB}/playable`, () => new HttpResponse("x", { headers: { "Forgesyte-Playable": "copy" } })),
      http.get(`*/v1/jobs/${JOB}/frames`, ({ request }) => {
        of(new URL(request.url).searchParams.get("of"));
        return HttpResponse.arrayBuffer(frameTableBytes([0, 40_000]));
      }),
      http.get(`*/v1/jobs/${JOB}/result/timeline`, () =>
        HttpResponse.json({ bins: 2, total_frames: 2, lanes: [], lanes_omitted: 0 }),
      ),
    );

    open();

    expect(await screen.findByRole("note")).toHaveTextContent("converted copy with the same frames");
    expect(of).toHaveBeenCalledWith("playable");
  });

  test("of a cancelled job shows what had been found until then", async () => {
    server.use(answersRecord(aRecord({ status: "cancelled" })));

    open();

    expect(await screen.findByText(/The job was cancelled/)).toBeVisible();
  });
});
