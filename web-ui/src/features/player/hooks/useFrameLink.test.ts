import { act, renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import { useFrameLink } from "./useFrameLink";

const addressOf = (frame: number) => `${globalThis.location.origin}/jobs/j1#t=${frame}`;

afterEach(() => vi.unstubAllGlobals());

async function make(clipboard: Partial<Clipboard> | undefined) {
  vi.stubGlobal("navigator", { clipboard });
  const { result } = renderHook(() => useFrameLink(addressOf));
  await act(() => result.current.make(61));
  return result.current.made;
}

test("the address of the frame is copied", async () => {
  const writeText = vi.fn(() => Promise.resolve());

  expect(await make({ writeText })).toBe("copied");
  expect(writeText).toHaveBeenCalledWith(addressOf(61));
});

test.each([
  ["is not there", undefined],
  ["is refused", { writeText: () => Promise.reject(new Error("refused")) }],
])(
  "where the clipboard %s, the page's own address leads to the frame, and the router's state stays",
  async (_, clipboard) => {
    globalThis.history.replaceState({ idx: 3 }, "", "/jobs/j1");

    expect(await make(clipboard)).toBe("addressed");
    expect(globalThis.location.href).toBe(addressOf(61));
    expect(globalThis.history.state).toEqual({ idx: 3 });
  },
);
