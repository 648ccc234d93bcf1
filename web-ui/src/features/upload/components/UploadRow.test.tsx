import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { asProblem, type Problem, problemOf } from "@/lib/problem";

import { renderAt } from "../../../../tests/support/render";
import { UploadRow } from "./UploadRow";

function show(problem: Problem) {
  const upload = { id: 1, file: new File(["abc"], "cars.mp4"), state: { name: "failed", problem } } as const;
  const ignore = () => undefined;
  renderAt("/", <UploadRow upload={upload} refusal={null} onAgain={null} onCancel={ignore} onRemove={ignore} />);
}

test("a file whose server was not reached is not sent, and nothing tries that again", () => {
  show(asProblem(new TypeError("no route")));

  expect(screen.getByRole("status")).toHaveTextContent("Not sent");
  expect(screen.getByRole("alert")).not.toHaveTextContent("by itself");
});

test("a file that the server refused is refused", () => {
  show(problemOf(415, { title: "No video", detail: "Choose another." }));

  expect(screen.getByRole("status")).toHaveTextContent("Refused");
});
