import { act } from "@testing-library/react";
import { vi } from "vitest";

/** Hold the timers of the page, so that a test moves them with `pass`; what waits for the network goes on. */
export function holdClock(): void {
  vi.useFakeTimers({
    toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "Date"],
    shouldAdvanceTime: true,
  });
}

/** Let time pass for the page. */
export async function pass(ms: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}
