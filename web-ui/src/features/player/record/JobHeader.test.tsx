import { fireEvent, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

import { aRecord, JOB, refuses } from "../../../../tests/support/jobRecord";
import { renderAt } from "../../../../tests/support/render";
import { fakeNetwork, server } from "../../../../tests/support/server";
import { JobHeader } from "./JobHeader";

fakeNetwork();

const again = () => screen.getByRole("button", { name: "Submit again" });

/** Answers that the media was submitted again. */
const accepts = (asked: () => void) =>
  http.post(`*/v1/jobs/${JOB}/retry`, () => {
    asked();
    return HttpResponse.json({ job_id: "new" }, { status: 202 });
  });

function show() {
  const asked = vi.fn();
  const onSubmitted = vi.fn();
  server.use(accepts(asked));
  renderAt("/", <JobHeader job={aRecord()} onSubmitted={onSubmitted} />);
  return { asked, onSubmitted };
}

test("a double click submits once, also when the second click comes after the answer", async () => {
  const { asked, onSubmitted } = show();

  fireEvent.click(again());
  fireEvent.click(again());
  await waitFor(() => expect(onSubmitted).toHaveBeenCalledWith("new"));
  fireEvent.click(again());

  expect(again()).toBeDisabled();
  expect(asked).toHaveBeenCalledOnce();
});

test("what was refused can be submitted once more", async () => {
  const { asked, onSubmitted } = show();
  server.use(refuses("/retry", 503, "The store is full", "Try again shortly."));
  fireEvent.click(again());
  await screen.findByText("Try again shortly.");

  server.use(accepts(asked));
  await waitFor(() => expect(again()).toBeEnabled());
  fireEvent.click(again());

  await waitFor(() => expect(onSubmitted).toHaveBeenCalledWith("new"));
  expect(asked).toHaveBeenCalledOnce();
});
