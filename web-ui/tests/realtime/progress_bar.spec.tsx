import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { ProgressBar } from "@/components/ProgressBar";

import { renderInPage } from "../support/renderInPage";

const bar = () => screen.getByRole("progressbar", { name: "Analysis" });

test("the bar has the id that it is given", () => {
  renderInPage(<ProgressBar id="progress-bar" label="Analysis" value={20} />);

  expect(bar()).toHaveAttribute("id", "progress-bar");
});

test("the bar is a progressbar with its label and values", () => {
  renderInPage(<ProgressBar label="Analysis" value={20} />);

  expect(bar()).toHaveAttribute("aria-valuenow", "20");
  expect(bar()).toHaveAttribute("aria-valuemin", "0");
  expect(bar()).toHaveAttribute("aria-valuemax", "100");
});

test("a value below 0 is shown as 0", () => {
  renderInPage(<ProgressBar label="Analysis" value={-5} />);

  expect(bar()).toHaveAttribute("aria-valuenow", "0");
  expect(screen.getByText("0%")).toBeVisible();
});

test("a value above 100 is shown as 100", () => {
  renderInPage(<ProgressBar label="Analysis" value={140} />);

  expect(bar()).toHaveAttribute("aria-valuenow", "100");
});

test("the percentage stands beside the label, rounded down", () => {
  renderInPage(<ProgressBar label="Analysis" value={99.9} />);

  expect(screen.getByText("99%")).toBeVisible();
  expect(screen.getByText("Analysis")).toBeVisible();
});

test("at 100 it says Complete", () => {
  renderInPage(<ProgressBar label="Analysis" value={100} />);

  expect(screen.getByText("Complete")).toBeVisible();
  expect(bar()).toHaveAttribute("aria-valuetext", "Complete");
});

test("a value that is not known has no number", () => {
  renderInPage(<ProgressBar label="Analysis" value={null} />);

  expect(bar()).not.toHaveAttribute("aria-valuenow");
  expect(bar()).toHaveAttribute("aria-valuetext", "Not known yet");
});

test("figures stand below the bar", () => {
  renderInPage(<ProgressBar label="Analysis" value={20} detail="Frame 79 of 377" />);

  expect(screen.getByText("Frame 79 of 377")).toBeVisible();
});
