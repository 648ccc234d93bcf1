import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { afterEach, expect, test, vi } from "vitest";

import { holdClock, pass } from "../../../../tests/support/clock";
import { aJob, aPage } from "../../../../tests/support/jobs";
import { giveRoom } from "../../../../tests/support/layout";
import { renderAt } from "../../../../tests/support/render";
import { fakeNetwork, server } from "../../../../tests/support/server";
import { JobsScreen } from "./JobsScreen";

fakeNetwork();
giveRoom(600);
afterEach(() => vi.useRealTimers());

const JOBS = "*/v1/jobs";
const PROBLEM = {
  title: "The message broker is unavailable",
  detail: "Start nats-server.",
  code: "SERVICE_UNAVAILABLE",
  status: 503,
};

/** Let the page be asked: what it asked for is kept, and it gets `page()`. */
function answerJobs(page: () => ReturnType<typeof aPage>): URL[] {
  const asked: URL[] = [];
  server.use(
    http.get("*/v1/plugins", () => HttpResponse.json([{ name: "motion-detector" }, { name: "plate-reader" }])),
    http.get(JOBS, ({ request }) => {
      asked.push(new URL(request.url));
      return HttpResponse.json(page());
    }),
  );
  return asked;
}

test("the jobs are rows with a link, and the screen says how many of how many", async () => {
  answerJobs(() => aPage([aJob(2, { filename: "cars.mp4" }), aJob(1)], { count: 350 }));

  renderAt("/jobs", <JobsScreen title="Jobs" />);

  const row = (await screen.findByRole("link", { name: "cars.mp4" })).closest<HTMLElement>("[role=row]");
  expect(screen.getByRole("link", { name: "cars.mp4" })).toHaveAttribute("href", `/jobs/${aJob(2).job_id}`);
  expect(row).toHaveTextContent(/completed.*motion-detector.*detect-motion.*100%.*377.*192.*4 s/);
  expect(screen.getByText("Showing 2 of 350")).toBeVisible();
});

test("a list without jobs leads to Analyze", async () => {
  answerJobs(() => aPage([]));

  renderAt("/jobs", <JobsScreen title="Jobs" />);

  expect(await screen.findByRole("link", { name: "Analyze a video" })).toHaveAttribute("href", "/");
});

test("a first answer that fails is shown with its title and next step, and can be asked again", async () => {
  const user = userEvent.setup();
  answerJobs(() => aPage([aJob(1, { filename: "cars.mp4" })]));
  server.use(http.get(JOBS, () => HttpResponse.json(PROBLEM, { status: 503 }), { once: true }));

  renderAt("/jobs", <JobsScreen title="Jobs" />);

  expect(await screen.findByRole("alert")).toHaveTextContent("The message broker is unavailableStart nats-server.");
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("link", { name: "cars.mp4" })).toBeVisible();
});

test("status and plugin are put into the address and asked of the server", async () => {
  const user = userEvent.setup();
  const asked = answerJobs(() => aPage([aJob(1)]));

  const page = renderAt("/jobs?status=failed", <JobsScreen title="Jobs" />);
  await user.click(await screen.findByRole("checkbox", { name: "running" }));
  await screen.findByRole("option", { name: "plate-reader" });
  await user.selectOptions(screen.getByRole("combobox", { name: "Plugin" }), "plate-reader");

  expect(page.address()).toBe("/jobs?status=running&status=failed&plugin=plate-reader");
  await screen.findByText("Showing 1 of 1");
  expect(asked.at(-1)?.searchParams.getAll("status")).toEqual(["running", "failed"]);
  expect(asked.at(-1)?.searchParams.get("plugin")).toBe("plate-reader");
});

test("filters that nothing matches can be taken away", async () => {
  const user = userEvent.setup();
  answerJobs(() => aPage([]));

  const page = renderAt("/jobs?status=failed", <JobsScreen title="Jobs" />);
  await user.click(await screen.findByRole("button", { name: "Show all jobs" }));

  expect(page.address()).toBe("/jobs");
});

test("every two seconds a running job moves on and a new job comes on top", async () => {
  holdClock();
  let page = aPage([aJob(1, { filename: "cars.mp4", status: "running", progress: 10 })]);
  answerJobs(() => page);
  renderAt("/jobs", <JobsScreen title="Jobs" />);
  await screen.findByText("10%");

  page = aPage([
    aJob(2, { filename: "boats.mp4", status: "pending", progress: null }),
    aJob(1, { filename: "cars.mp4", status: "running", progress: 60 }),
  ]);
  await pass(2_100);

  expect(await screen.findByText("60%")).toBeVisible();
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual(["boats.mp4", "cars.mp4"]);
});

test("a reader who has scrolled down keeps the place when a job comes in on top", async () => {
  holdClock();
  const older = Array.from({ length: 60 }, (_, place) => aJob(60 - place));
  let page = aPage(older);
  answerJobs(() => page);
  renderAt("/jobs", <JobsScreen title="Jobs" />);
  const scroller = (await screen.findByRole("table")).parentElement;
  if (scroller === null) throw new Error("the table stands in nothing that scrolls");
  scroller.scrollTop = 440;

  page = aPage([aJob(61), ...older]);
  await pass(2_100);
  await screen.findByText("Showing 61 of 61");

  expect(scroller.scrollTop).toBe(440 + 44);
});

test("an unfinished job below the newest page is asked for by itself", async () => {
  holdClock();
  const old = aJob(1, { filename: "old.mp4", status: "running", progress: 10 });
  let newest = aPage([aJob(2), old], { count: 2 });
  answerJobs(() => newest);
  server.use(http.get(`*/v1/jobs/${old.job_id}`, () => HttpResponse.json({ ...old, progress: 80 })));
  renderAt("/jobs", <JobsScreen title="Jobs" />);
  await screen.findByText("10%");

  newest = aPage([aJob(3), aJob(2)], { next_cursor: aJob(2).job_id, count: 3 });
  await pass(2_100);

  expect(await screen.findByText("80%")).toBeVisible();
});

test("a server that cannot be reached leaves the rows and says since when", async () => {
  holdClock();
  answerJobs(() => aPage([aJob(1, { filename: "cars.mp4" })]));
  renderAt("/jobs", <JobsScreen title="Jobs" />);
  await screen.findByRole("link", { name: "cars.mp4" });

  server.use(http.get(JOBS, () => HttpResponse.error()));
  await pass(2_100);
  expect(await screen.findByText(/^Not reached for/)).toBeVisible();
  await pass(6_000);

  expect(screen.getByText(/^Not reached for [6-9] s/)).toBeVisible();
  expect(screen.getByRole("link", { name: "cars.mp4" })).toBeVisible();
});

test("an unfinished job is cancelled at once", async () => {
  const user = userEvent.setup();
  let status: "running" | "cancelled" = "running";
  answerJobs(() => aPage([aJob(1, { filename: "cars.mp4", status })]));
  server.use(
    http.post("*/v1/jobs/:id/cancel", () => {
      status = "cancelled";
      return HttpResponse.json({ ...aJob(1, { status }), stopping: true });
    }),
  );
  renderAt("/jobs", <JobsScreen title="Jobs" />);

  await user.click(await screen.findByRole("button", { name: "Cancel cars.mp4" }));

  const table = await screen.findByRole("table");
  expect(await within(table).findByText("cancelled")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Cancel cars.mp4" })).not.toBeInTheDocument();
});

test("what the server says against a cancellation is shown", async () => {
  const user = userEvent.setup();
  answerJobs(() => aPage([aJob(1, { filename: "cars.mp4", status: "running" })]));
  const problem = {
    title: "The job has ended",
    detail: "It was completed a moment ago.",
    code: "JOB_ENDED",
    status: 409,
  };
  server.use(http.post("*/v1/jobs/:id/cancel", () => HttpResponse.json(problem, { status: 409 })));
  renderAt("/jobs", <JobsScreen title="Jobs" />);

  await user.click(await screen.findByRole("button", { name: "Cancel cars.mp4" }));

  expect(await screen.findByText("The job has ended")).toBeVisible();
  expect(screen.getByText("It was completed a moment ago.")).toBeVisible();
});

test("arrow keys lead from job to job", async () => {
  const user = userEvent.setup();
  answerJobs(() =>
    aPage([aJob(3, { filename: "a.mp4" }), aJob(2, { filename: "b.mp4" }), aJob(1, { filename: "c.mp4" })]),
  );
  renderAt("/jobs", <JobsScreen title="Jobs" />);
  (await screen.findByRole("link", { name: "a.mp4" })).focus();

  await user.keyboard("{ArrowDown}");
  expect(screen.getByRole("link", { name: "b.mp4" })).toHaveFocus();
  await user.keyboard("{End}");
  expect(screen.getByRole("link", { name: "c.mp4" })).toHaveFocus();
  await user.keyboard("{Home}");
  expect(screen.getByRole("link", { name: "a.mp4" })).toHaveFocus();
});

test("of a long list only some rows are drawn, and the next page is asked for near the end", async () => {
  const newest = Array.from({ length: 100 }, (_, place) => aJob(200 - place));
  const older = Array.from({ length: 100 }, (_, place) => aJob(100 - place));
  const asked = answerJobs(() => aPage(newest, { count: 200, next_cursor: "next" }));
  server.use(
    http.get(JOBS, ({ request }) => {
      asked.push(new URL(request.url));
      const isNext = new URL(request.url).searchParams.get("cursor") === "next";
      return HttpResponse.json(
        isNext ? aPage(older, { count: 200 }) : aPage(newest, { count: 200, next_cursor: "next" }),
      );
    }),
  );
  renderAt("/jobs", <JobsScreen title="Jobs" />);
  await screen.findByText("Showing 100 of 200");
  expect(screen.getAllByRole("row").length).toBeLessThan(60);

  screen.getAllByRole("link")[0]?.focus();
  await userEvent.keyboard("{End}");

  expect(await screen.findByText("Showing 200 of 200")).toBeVisible();
  expect(asked[0]?.searchParams.get("limit")).toBe("100");
  expect(screen.getAllByRole("row").length).toBeLessThan(60);
});
