import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import type { ReactElement } from "react";
import { expect, test } from "vitest";

import { DeviceIndicator } from "./DeviceIndicator";

const show = (element: ReactElement) => render(<MantineProvider env="test">{element}</MantineProvider>);

test("usage and memory stand in figures beside their bars", () => {
  show(<DeviceIndicator name="GPU 0" usage={0.42} memory={{ usedBytes: 3 * 2 ** 30, totalBytes: 8 * 2 ** 30 }} />);

  expect(screen.getByRole("meter", { name: "Usage" })).toHaveAttribute("aria-valuenow", "42");
  expect(screen.getByRole("meter", { name: "Memory" })).toHaveAttribute("aria-valuetext", "3.0 GiB of 8.0 GiB");
});

test("what was not measured is unknown, not zero", () => {
  show(<DeviceIndicator name="CPU" usage={null} memory={null} />);

  expect(screen.getAllByText("unknown")).toHaveLength(2);
});

test("a fallback says why, and what does not belong is left out", () => {
  show(<DeviceIndicator name="CPU" fallback={{ reason: "no GPU was free" }} />);

  expect(screen.getByText("Fallback: no GPU was free")).toBeVisible();
  expect(screen.queryByRole("meter")).not.toBeInTheDocument();
});
