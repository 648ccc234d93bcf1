import { expect, test } from "vitest";

import { RequestFailed } from "@/lib/problem";

import type { Analysis, Sending, Submitted } from "../api/sendMedia";
import { UploadQueue } from "./UploadQueue";

const ANALYSIS: Analysis = { plugin: "motion-detector", tools: ["detect-motion"], options: "", device: "auto" };

function aQueue(answers: Record<string, string | Error>) {
  const sent: string[] = [];
  const queue = new UploadQueue(({ file, onProgress }: Sending) => {
    sent.push(file.name);
    onProgress(1);
    const answer = answers[file.name];
    if (typeof answer === "string") return Promise.resolve({ job_id: answer } as Submitted);
    return Promise.reject(answer ?? new Error("no answer given"));
  });
  const files = Object.keys(answers).map((name) => new File(["abc"], name, { type: "video/mp4" }));
  queue.add(files);
  return { queue, sent, ids: queue.snapshot().map((upload) => upload.id) };
}

function refused(code: string): RequestFailed {
  return new RequestFailed({ status: 415, title: "No", detail: "No.", code });
}

function states(queue: UploadQueue): string[] {
  return queue.snapshot().map((upload) => upload.state.name);
}

test("files are sent in order and each gets its job", async () => {
  const { queue, sent, ids } = aQueue({ "a.mp4": "job-a", "b.mp4": "job-b" });

  const ended = await queue.start(ids, ANALYSIS);

  expect(sent).toEqual(["a.mp4", "b.mp4"]);
  expect(ended.map((upload) => upload.state)).toEqual([
    { name: "accepted", jobId: "job-a" },
    { name: "accepted", jobId: "job-b" },
  ]);
});

test("a file that the server cannot use does not keep the next from being sent", async () => {
  const { queue, ids } = aQueue({ "a.mp4": refused("MEDIA_INVALID"), "b.mp4": "job-b" });

  await queue.start(ids, ANALYSIS);

  expect(states(queue)).toEqual(["failed", "accepted"]);
});

test("what every file would be refused for stops the rest, which stays ready", async () => {
  const { queue, sent, ids } = aQueue({ "a.mp4": refused("OPTIONS_INVALID"), "b.mp4": "job-b" });

  await queue.start(ids, ANALYSIS);

  expect(sent).toEqual(["a.mp4"]);
  expect(states(queue)).toEqual(["failed", "ready"]);
});

test("cancelling aborts the file that is being sent and goes on with the next", async () => {
  const signals: AbortSignal[] = [];
  const queue = new UploadQueue(({ file, signal }) => {
    signals.push(signal);
    if (file.name === "b.mp4") return Promise.resolve({ job_id: "job-b" } as Submitted);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    });
  });
  queue.add(["a.mp4", "b.mp4", "c.mp4"].map((name) => new File(["abc"], name)));
  const ids = queue.snapshot().map((upload) => upload.id);

  const ending = queue.start(ids, ANALYSIS);
  queue.cancel(ids[2] ?? 0);
  queue.cancel(ids[0] ?? 0);
  await ending;

  expect(signals[0]?.aborted).toBe(true);
  expect(states(queue)).toEqual(["cancelled", "accepted", "cancelled"]);
});

test("a file that is on its way or became a job is not sent a second time", async () => {
  const { queue, sent, ids } = aQueue({ "a.mp4": "job-a" });

  const first = queue.start(ids, ANALYSIS);
  const second = queue.start(ids, ANALYSIS);
  await Promise.all([first, second]);
  await queue.start(ids, ANALYSIS);

  expect(sent).toEqual(["a.mp4"]);
  expect(states(queue)).toEqual(["accepted"]);
});

test("a failed file can be sent again, and a removed one is gone", async () => {
  const { queue, sent, ids } = aQueue({ "a.mp4": refused("MEDIA_INVALID"), "b.mp4": "job-b" });
  await queue.start(ids, ANALYSIS);

  queue.remove(ids[1] ?? 0);
  await queue.start([ids[0] ?? 0], ANALYSIS);

  expect(sent).toEqual(["a.mp4", "b.mp4", "a.mp4"]);
  expect(states(queue)).toEqual(["failed"]);
});

test("listeners hear of every change", async () => {
  const { queue, ids } = aQueue({ "a.mp4": "job-a" });
  const seen: string[] = [];
  queue.subscribe(() => seen.push(states(queue).join()));

  await queue.start(ids, ANALYSIS);

  expect(seen).toEqual(["waiting", "sending", "sending", "accepted"]);
});
