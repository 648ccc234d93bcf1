import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { renderInPage } from "../../../../tests/support/renderInPage";
import { JobErrors } from "./JobErrors";

const anError = (message: string) => ({
  error: "The plugin raised an error",
  details: { error_code: "PLUGIN_ERROR", message },
});

test("an error is told until it is dismissed; one that comes later is told all the same", async () => {
  const first = anError("at frame 17");
  const { rerender } = renderInPage(<JobErrors errors={[first]} />);
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByRole("alert")).toBeNull();
  rerender(<JobErrors errors={[first, anError("at frame 40")]} />);
  expect(screen.getByRole("alert")).toHaveTextContent("at frame 40");
});
