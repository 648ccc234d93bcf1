import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import type { InspectedPlugin } from "@/components/inspector/facts";
import { PluginInspector } from "@/components/PluginInspector";

import { renderInPage } from "../support/renderInPage";

const detector: InspectedPlugin = {
  name: "motion-detector",
  status: "running",
  version: "0.1.0",
  model: null,
  outputFormat: "Regions",
  capabilities: ["motion", "tracking"],
  steps: [
    { name: "detect-motion", ms: 2.04 },
    { name: "track-objects", ms: 8.16 },
  ],
  totalMs: 10.2,
  budgetMs: 20,
  device: "cpu",
};

const inspector = () => screen.getByRole("region", { name: "Plugin inspector" });

test("it has its id, and says when no plugin runs", () => {
  renderInPage(<PluginInspector plugins={[]} warnings={[]} />);

  expect(inspector()).toHaveAttribute("id", "plugin-inspector");
  expect(within(inspector()).getByText("No plugins running")).toBeVisible();
});

test("names stand with what the plugin says of itself", () => {
  renderInPage(<PluginInspector plugins={[detector]} warnings={[]} />);

  expect(screen.getByRole("heading", { name: "motion-detector" })).toBeVisible();
  expect(screen.getByText("version 0.1.0 · gives Regions · motion, tracking · on cpu")).toBeVisible();
});

test("steps stand in the order of execution, in milliseconds with one decimal", () => {
  renderInPage(<PluginInspector plugins={[detector]} warnings={[]} />);

  const steps = within(screen.getByRole("list", { name: "Execution order of motion-detector" })).getAllByRole(
    "listitem",
  );
  expect(steps.map((step) => step.textContent)).toEqual(["1. detect-motion2.0 ms", "2. track-objects8.2 ms"]);
});

test("bars are scaled to the slowest step of all plugins", () => {
  const second = { ...detector, name: "second", steps: [{ name: "slow", ms: 16.32 }] };

  renderInPage(<PluginInspector plugins={[detector, second]} warnings={[]} />);

  const shares = screen.getAllByRole("meter").map((bar) => bar.getAttribute("aria-valuenow"));
  expect(shares).toEqual(["13", "50", "100"]);
});

test("badges say status, health and budget in words", () => {
  const ill = {
    ...detector,
    status: "degraded",
    totalMs: 25,
    health: { state: "FAILED", reason: "raised at frame 3" },
  };

  renderInPage(<PluginInspector plugins={[ill]} warnings={[]} />);

  for (const word of ["degraded", "FAILED", "raised at frame 3", "over budget", "25.0 ms of a budget of 20.0 ms"]) {
    expect(screen.getByText(word)).toBeVisible();
  }
});

test("warnings accumulate in a log that scrolls and takes the focus", () => {
  const first = { index: 0, text: "a frame was damaged", severity: "high", frameIndex: 17 };
  const { rerender } = renderInPage(<PluginInspector plugins={[]} warnings={[first]} />);

  rerender(<PluginInspector plugins={[]} warnings={[first, { index: 1, text: "slow" }]} omittedWarnings={3} />);

  const log = screen.getByRole("log", { name: "Warnings" });
  expect(log).toHaveAttribute("tabindex", "0");
  for (const text of ["higha frame was damaged frame 17", "mediumslow", "3 more are in the record"]) {
    expect(log).toHaveTextContent(text);
  }
  expect(screen.getByRole("heading", { name: "Warnings (5)" })).toBeVisible();
});

test("the frame of a warning leads to it", async () => {
  const goTo = vi.fn();
  renderInPage(
    <PluginInspector plugins={[]} warnings={[{ index: 0, text: "damaged", frameIndex: 17 }]} onFrame={goTo} />,
  );

  await userEvent.click(screen.getByRole("button", { name: "frame 17" }));

  expect(goTo).toHaveBeenCalledWith(17);
});
