import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { DeviceSelector } from "@/components/controls/DeviceSelector";
import { DrawToggles } from "@/components/controls/DrawToggles";
import { PreviewRate } from "@/components/controls/PreviewRate";
import { useDrawChoices } from "@/components/controls/useDrawChoices";
import { ErrorBanner } from "@/components/ErrorBanner";
import { Spinner } from "@/components/Spinner";

import { renderInPage } from "./support/renderInPage";

describe("device selector", () => {
  const selector = () => screen.getByRole("combobox", { name: "Device" });

  test("it offers automatic, CPU and GPU", () => {
    renderInPage(<DeviceSelector onChange={vi.fn()} />);

    expect(selector()).toHaveAttribute("id", "device-selector");
    expect(screen.getAllByRole("option").map((option) => option.textContent)).toEqual(["Automatic", "CPU", "GPU"]);
  });

  test("it starts with automatic", () => {
    renderInPage(<DeviceSelector onChange={vi.fn()} />);

    expect(selector()).toHaveValue("auto");
  });

  test("a change is told", async () => {
    const choose = vi.fn();
    renderInPage(<DeviceSelector onChange={choose} />);

    await userEvent.selectOptions(selector(), "GPU");

    expect(choose).toHaveBeenCalledWith("gpu");
  });
});

describe("toggles", () => {
  beforeEach(() => localStorage.clear());

  function Toggles() {
    const [choices, choose] = useDrawChoices();
    return <DrawToggles value={choices} onChange={choose} has={{ pitch: true, radar: true }} />;
  }

  test.each(["Boxes", "Labels", "Pitch", "Radar"])("%s can be switched off and on", async (label) => {
    renderInPage(<Toggles />);
    const toggle = screen.getByRole("switch", { name: label });
    expect(toggle).toHaveAttribute("id", `toggle-${label.toLowerCase()}`);
    expect(toggle).toBeChecked();

    await userEvent.click(toggle);
    expect(toggle).not.toBeChecked();

    await userEvent.click(toggle);
    expect(toggle).toBeChecked();
  });

  test("the choice is kept when the page comes again", async () => {
    const { unmount } = renderInPage(<Toggles />);
    await userEvent.click(screen.getByRole("switch", { name: "Boxes" }));
    unmount();

    renderInPage(<Toggles />);

    expect(screen.getByRole("switch", { name: "Boxes" })).not.toBeChecked();
    expect(screen.getByRole("switch", { name: "Labels" })).toBeChecked();
  });
});

test("pitch and radar have no toggle when the tool's output lacks them", () => {
  renderInPage(<DrawToggles value={{ boxes: true, labels: true, pitch: true, radar: true }} onChange={vi.fn()} />);

  expect(screen.getAllByRole("switch").map((toggle) => toggle.id)).toEqual(["toggle-boxes", "toggle-labels"]);
});

describe("fps slider", () => {
  function Slider({ told = vi.fn() }: { told?: (rate: number) => void }) {
    const [rate, setRate] = useState<number>();
    return (
      <PreviewRate
        {...(rate === undefined ? {} : { value: rate })}
        onChange={(value) => {
          setRate(value);
          told(value);
        }}
      />
    );
  }
  const slider = () => screen.getByRole("slider");

  test("it goes from 1 to the 5 pictures a second that the server sends", () => {
    renderInPage(<Slider />);

    expect(slider()).toHaveAttribute("id", "fps-slider");
    expect(slider()).toHaveAttribute("min", "1");
    expect(slider()).toHaveAttribute("max", "5");
  });

  test("it starts with every picture", () => {
    renderInPage(<Slider />);

    expect(slider()).toHaveValue("5");
  });

  test("a change is told and shown", () => {
    const told = vi.fn();
    renderInPage(<Slider told={told} />);

    fireEvent.change(slider(), { target: { value: "2" } });

    expect(told).toHaveBeenCalledWith(2);
    expect(screen.getByText("2/s")).toBeVisible();
  });

  test("it has a label, and a value in words", () => {
    renderInPage(<Slider />);

    expect(screen.getByLabelText("Preview rate")).toHaveAttribute("aria-valuetext", "5 a second");
  });
});

describe("spinner", () => {
  test("it is a status with a label", () => {
    renderInPage(<Spinner label="Loading jobs" />);

    expect(screen.getByRole("status")).toHaveTextContent("Loading jobs");
  });

  test("it is gone when the work is done", () => {
    const { rerender } = renderInPage(<Spinner />);

    rerender(<p>Done</p>);

    expect(screen.queryByRole("status")).not.toBeInTheDocument();
  });
});

describe("error banner", () => {
  test("it is an alert with the title and the next step", () => {
    renderInPage(<ErrorBanner title="The disk is full" detail="Delete old jobs, then submit again." />);

    expect(screen.getByRole("alert")).toHaveTextContent("The disk is full");
    expect(screen.getByRole("alert")).toHaveTextContent("Delete old jobs, then submit again.");
  });

  test("it can be dismissed", async () => {
    const dismiss = vi.fn();
    renderInPage(<ErrorBanner title="The disk is full" onDismiss={dismiss} />);

    await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));

    expect(dismiss).toHaveBeenCalledOnce();
  });
});
