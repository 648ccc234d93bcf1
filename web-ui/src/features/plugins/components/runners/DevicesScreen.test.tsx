import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, expect, test, vi } from "vitest";

import { holdClock, pass } from "../../../../../tests/support/clock";
import { aDevice, aRunner } from "../../../../../tests/support/plugins";
import { renderAt } from "../../../../../tests/support/render";
import { fakeNetwork, server } from "../../../../../tests/support/server";
import { DevicesScreen } from "./DevicesScreen";

fakeNetwork();
afterEach(() => vi.useRealTimers());

function answer(runners: ReturnType<typeof aRunner>[], devices: ReturnType<typeof aDevice>[]): void {
  server.use(
    http.get("*/v1/runners", () => HttpResponse.json(runners)),
    http.get("*/v1/devices", () => HttpResponse.json(devices)),
  );
}

test("a runner shows its devices, its slots, its jobs as links, and its plugins", async () => {
  const gpu = aDevice({ name: "NVIDIA L4", kind: "gpu", utilisation_ratio: 0.9, memory_used_bytes: null });
  answer([aRunner()], [aDevice(), gpu, aDevice({ runner_id: "other" })]);

  renderAt("/devices", <DevicesScreen title="Devices" />);

  const card = await screen.findByRole("article", { name: "box-1" });
  const cpu = within(card).getByRole("region", { name: "Device CPU" });
  expect(within(cpu).getByRole("meter", { name: "Usage" })).toHaveAttribute("aria-valuetext", "50%");
  expect(within(cpu).getByRole("meter", { name: "Memory" })).toHaveAttribute("aria-valuetext", "3.0 GiB of 8.0 GiB");
  const other = within(card).getByRole("region", { name: "Device NVIDIA L4" });
  expect(within(other).getByRole("meter", { name: "Memory" })).toHaveAttribute("aria-valuetext", "unknown");
  expect(within(card).getByRole("meter", { name: "Slots" })).toHaveAttribute("aria-valuetext", "1 of 2 busy");
  expect(within(card).getByRole("link", { name: "Job 00000001" })).toHaveAttribute(
    "href",
    "/jobs/01900000-0000-7000-8000-000000000001",
  );
  expect(card).toHaveTextContent(/motion-detectorRUNNING/);
});

test("a draining runner and a lost one say what that means", async () => {
  answer(
    [
      aRunner({ state: "draining", draining: true, jobs: [] }),
      aRunner({ runner_id: "box-2", state: "lost", silent_s: 65 }),
    ],
    [],
  );

  renderAt("/devices", <DevicesScreen title="Devices" />);

  expect(await screen.findByText("It finishes its jobs and takes no more.")).toBeVisible();
  expect(screen.getByText("Not heard from for 1 min 5 s; the figures are from then.")).toBeVisible();
});

test("where no runner is alive the screen says how to start one", async () => {
  answer([], []);

  renderAt("/devices", <DevicesScreen title="Devices" />);

  expect(await screen.findByRole("heading", { name: "No runner is alive" })).toBeVisible();
});

test("figures follow every two seconds, and once the server is unreachable the screen says since when", async () => {
  holdClock();
  answer([aRunner()], [aDevice()]);
  renderAt("/devices", <DevicesScreen title="Devices" />);
  await screen.findByText("50%");

  answer([aRunner()], [aDevice({ utilisation_ratio: 0.75 })]);
  await pass(2_100);
  expect(await screen.findByText("75%")).toBeVisible();

  server.use(http.get("*/v1/runners", () => HttpResponse.error()));
  await pass(2_100);
  expect(await screen.findByText(/^Not reached for/)).toBeVisible();
  expect(screen.getByText("75%")).toBeVisible();
});
