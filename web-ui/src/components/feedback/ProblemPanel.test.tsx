import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { problemOf, RequestFailed } from "@/lib/problem";

import { renderInPage } from "../../../tests/support/renderInPage";
import { ProblemPanel } from "./ProblemPanel";

const REFUSED = new RequestFailed(problemOf(500, { detail: "The disk is full." }));

test.each([
  [true, new TypeError("no route"), true],
  [false, new TypeError("no route"), false],
  [true, REFUSED, false],
])("only what is polled and was not reached is said to be tried again", (isPolled, error, isTold) => {
  renderInPage(<ProblemPanel isPolled={isPolled} error={error} />);

  expect(screen.queryByText(/tries again by itself/) !== null).toBe(isTold);
});
