import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { afterEach, expect, test, vi } from "vitest";

import { momentText } from "@/lib/format";

import { holdClock, pass } from "../../../../tests/support/clock";
import { aPlugin, aReport } from "../../../../tests/support/plugins";
import { renderAt } from "../../../../tests/support/render";
import { fakeNetwork, server } from "../../../../tests/support/server";
import { PluginsScreen } from "./PluginsScreen";

fakeNetwork();
afterEach(() => vi.useRealTimers());

function answerPlugins(plugins: () => ReturnType<typeof aPlugin>[]): void {
  server.use(
    http.get("*/v1/plugins", () => HttpResponse.json(plugins())),
    http.get("*/v1/plugins/:name", () => HttpResponse.json(aReport(plugins()[0]))),
  );
}

test("a card says what a plugin is, since when it is ready, and what its jobs show", async () => {
  answerPlugins(() => [
    aPlugin({ success_count: 12, error_count: 1, avg_execution_time_ms: 5, last_execution_time_ms: 4.2 }),
  ]);

  renderAt("/plugins", <PluginsScreen title="Plugins" />);

  const card = await screen.findByRole("article", { name: "motion-detector" });
  expect(card).toHaveTextContent(/0\.1\.0 · Ready for 2 min 5 s.*INITIALIZED.*Finds what moves/);
  expect(card).toHaveTextContent(/Completed12Failed1Last usednever/);
  expect(card).toHaveTextContent(/box-1walledINITIALIZED/);
  expect(await within(card).findByRole("meter", { name: "Mean latency per frame" })).toHaveAttribute(
    "aria-valuenow",
    "25",
  );
  expect(card).toHaveTextContent("5.0 ms of a budget of 20.0 ms");
});

test("a plugin slower than it promises says so in words", async () => {
  answerPlugins(() => [aPlugin({ avg_execution_time_ms: 30 })]);

  renderAt("/plugins", <PluginsScreen title="Plugins" />);

  expect(await screen.findByText("30.0 ms, over its budget of 20.0 ms")).toBeVisible();
});

test("an ill plugin shows the reason with its remedy, and since when it is ill on any runner", async () => {
  holdClock();
  let plugin = aPlugin();
  answerPlugins(() => [plugin]);
  renderAt("/plugins", <PluginsScreen title="Plugins" />);
  await screen.findByText(/Ready for/);

  plugin = aPlugin({
    state: "FAILED",
    uptime_seconds: null,
    reason: "It cannot be imported. Install numpy, then reload it.",
    runners: [
      { runner_id: "box-1", state: "UNAVAILABLE", state_since: "2026-01-01T10:00:00.000Z", reason: null },
      { runner_id: "box-2", state: "FAILED", state_since: "2026-01-01T12:00:00.000Z", reason: null },
      { runner_id: "box-3", state: "FAILED", state_since: "2026-01-01T11:00:00.000Z", reason: null },
      { runner_id: "box-4", state: "FAILED", reason: null },
    ],
  });
  await pass(5_100);

  expect(await screen.findByText("It cannot be imported. Install numpy, then reload it.")).toBeVisible();
  expect(screen.getByText(`0.1.0 · So since ${momentText("2026-01-01T11:00:00.000Z")}`)).toBeVisible();
  expect(screen.getByText("0 of 1 usable")).toBeVisible();
});

test("the latencies of two answers become a line", async () => {
  holdClock();
  answerPlugins(() => [aPlugin({ avg_execution_time_ms: 5 })]);
  renderAt("/plugins", <PluginsScreen title="Plugins" />);
  await screen.findByRole("article");

  await pass(5_100);

  expect(await screen.findByRole("img", { name: /Mean latency of motion-detector/ })).toBeInTheDocument();
});

test("details show the tools with their options, and stand in the address", async () => {
  const user = userEvent.setup();
  answerPlugins(() => [aPlugin()]);
  const page = renderAt("/plugins", <PluginsScreen title="Plugins" />);

  await user.click(await screen.findByRole("button", { name: "Details of motion-detector" }));

  const details = await screen.findByRole("dialog", { name: "motion-detector" });
  expect(await within(details).findByRole("row", { name: "threshold number, 1 to 20 5 How much." })).toBeVisible();
  expect(details).toHaveTextContent(/Latency budget20\.0 ms/);
  expect(page.address()).toBe("/plugins?plugin=motion-detector");
});

test.each([
  [401, /none was sent/],
  [403, /lacks the scope admin/],
])("a reload that is answered %i says that it needs an admin key", async (status, sentence) => {
  const user = userEvent.setup();
  answerPlugins(() => [aPlugin()]);
  server.use(
    http.post("*/v1/plugins/:name/reload", () => HttpResponse.json({ title: "No", detail: "no" }, { status })),
  );
  renderAt("/plugins", <PluginsScreen title="Plugins" />);

  await user.click(await screen.findByRole("button", { name: "Reload motion-detector" }));

  expect(await screen.findByRole("alert")).toHaveTextContent("Reloading needs an admin key");
  expect(screen.getByRole("alert")).toHaveTextContent(sentence);
});

test("a reload says how many runners were asked", async () => {
  const user = userEvent.setup();
  answerPlugins(() => [aPlugin()]);
  const accepted = {
    plugin: "motion-detector",
    status: "reloading",
    runners: 2,
    requested_at: "2026-01-01T12:00:00.000Z",
  };
  server.use(http.post("*/v1/plugins/:name/reload", () => HttpResponse.json(accepted, { status: 202 })));
  renderAt("/plugins", <PluginsScreen title="Plugins" />);

  await user.click(await screen.findByRole("button", { name: "Reload motion-detector" }));

  expect(await screen.findByText("2 runners load and check it again.")).toBeVisible();
});

test("without a plugin the screen says how to get one", async () => {
  answerPlugins(() => []);

  renderAt("/plugins", <PluginsScreen title="Plugins" />);

  expect(await screen.findByRole("heading", { name: "No plugin is installed" })).toBeVisible();
});

test("a server that cannot be reached at first is a failure that can be tried again", async () => {
  server.use(http.get("*/v1/plugins", () => HttpResponse.error()));

  renderAt("/plugins", <PluginsScreen title="Plugins" />);

  expect(await screen.findByRole("alert")).toHaveTextContent("The server cannot be reached");
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});
