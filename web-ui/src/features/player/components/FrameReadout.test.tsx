import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { FrameTable } from "../engine/FrameTable";
import { ReviewSession } from "../engine/ReviewSession";
import { frameTableBytes } from "../engine/support/frameTableBytes";
import { FrameReadout } from "./FrameReadout";

function show() {
  const table = FrameTable.parse(frameTableBytes([0, 40_000, 80_000]));
  const session = new ReviewSession(table, ["t"], () => Promise.resolve([]), { unknown: "", notLoaded: "" });
  const goToFrame = vi.spyOn(session, "goToFrame");
  render(
    <MantineProvider env="test">
      <FrameReadout session={session} />
    </MantineProvider>,
  );
  return { goToFrame, field: screen.getByRole("textbox", { name: "Go to frame" }) };
}

test.each(["{Enter}", "{Tab}"])("a typed number is gone to at %s", async (key) => {
  const { goToFrame, field } = show();

  await userEvent.type(field, `2${key}`);

  expect(goToFrame).toHaveBeenCalledExactlyOnceWith(2);
});

test.each(["2", "700"])("Escape drops %s, and leaving the field goes nowhere", async (typed) => {
  const { goToFrame, field } = show();

  await userEvent.type(field, `${typed}{Escape}`);
  expect(field).not.toHaveValue(typed);
  await userEvent.tab();

  expect(goToFrame).not.toHaveBeenCalled();
});
