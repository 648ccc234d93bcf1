import { expect, test } from "vitest";

import { aJob, aPage } from "../../../../tests/support/jobs";

import { mergeJobs } from "./mergeJobs";

const NO_FILTER = { statuses: [], plugin: null };
const NOTHING_SINGLE = new Map();

function idsOf(page: { jobs: { job_id: string }[] }): string[] {
  return page.jobs.map((job) => job.job_id);
}

test("new jobs come on top and the older ones stay", () => {
  const held = aPage([aJob(3), aJob(2), aJob(1)], { count: 9, next_cursor: "1" });
  const newest = aPage([aJob(4), aJob(3)], { count: 10, next_cursor: "3" });

  const merged = mergeJobs(held, { newest, single: NOTHING_SINGLE }, NO_FILTER);

  expect(idsOf(merged)).toEqual(idsOf(aPage([aJob(4), aJob(3), aJob(2), aJob(1)])));
  expect(merged).toMatchObject({ count: 10, next_cursor: "1" });
});

test("a job that did not change stays the same object, a changed one is replaced", () => {
  const [still, moving] = [aJob(2), aJob(1, { status: "running", progress: 10 })];
  const newest = aPage([aJob(2), aJob(1, { status: "running", progress: 20 })]);

  const merged = mergeJobs(aPage([still, moving]), { newest, single: NOTHING_SINGLE }, NO_FILTER);

  expect(merged.jobs[0]).toBe(still);
  expect(merged.jobs[1]).toMatchObject({ progress: 20 });
});

test("a job that the newest page lacks within its span is gone", () => {
  const held = aPage([aJob(4), aJob(3), aJob(2), aJob(1)], { next_cursor: "1" });
  const newest = aPage([aJob(4), aJob(2)], { next_cursor: "2" });

  const merged = mergeJobs(held, { newest, single: NOTHING_SINGLE }, NO_FILTER);

  expect(idsOf(merged)).toEqual(idsOf(aPage([aJob(4), aJob(2), aJob(1)])));
});

test("a single job below the newest page is updated, removed when it is gone, and left out when it matches no longer", () => {
  const running = { status: "running" as const };
  const held = aPage([aJob(5, running), aJob(4, running), aJob(3, running), aJob(2, running)], { next_cursor: "2" });
  const newest = aPage([aJob(5, running)], { next_cursor: "5" });
  const single = new Map([
    [aJob(4).job_id, aJob(4, { ...running, progress: 70 })],
    [aJob(3).job_id, null],
    [aJob(2).job_id, aJob(2, { status: "completed" })],
  ]);

  const merged = mergeJobs(held, { newest, single }, { statuses: ["running"], plugin: null });

  expect(idsOf(merged)).toEqual([aJob(5).job_id, aJob(4).job_id]);
  expect(merged.jobs[1]).toMatchObject({ progress: 70 });
});

test("where more jobs came than one page holds, the list starts over rather than having a hole", () => {
  const held = aPage([aJob(2), aJob(1)], { next_cursor: null });
  const newest = aPage([aJob(9), aJob(8)], { count: 9, next_cursor: "8" });

  const merged = mergeJobs(held, { newest, single: NOTHING_SINGLE }, NO_FILTER);

  expect(idsOf(merged)).toEqual([aJob(9).job_id, aJob(8).job_id]);
  expect(merged.next_cursor).toBe("8");
});

test("a newest page without a next one is the whole list", () => {
  const merged = mergeJobs(aPage([aJob(2), aJob(1)]), { newest: aPage([]), single: NOTHING_SINGLE }, NO_FILTER);

  expect(merged.jobs).toEqual([]);
});
