import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

import { fakeNetwork, server } from "../../../../tests/support/server";
import type { JobFacts } from "../api/record";
import { Downloads } from "./Downloads";

const JOB = { job_id: "j1", job_type: "video", filename: "cars.mp4" } as JobFacts;

fakeNetwork();

function show({ isFetched = false } = {}) {
  const saved = vi.spyOn(HTMLAnchorElement.prototype, "click").mockReturnValue(undefined);
  const client = new QueryClient();
  if (isFetched) client.setQueryData(["job", "j1", "annotated"], { state: "ready", thing: true });
  render(
    <QueryClientProvider client={client}>
      <MantineProvider env="test">
        <Downloads job={JOB} />
      </MantineProvider>
    </QueryClientProvider>,
  );
  return saved;
}

test("the annotated video is saved as soon as it is drawn", async () => {
  server.use(http.get("*/v1/jobs/j1/result", () => new HttpResponse("m", { status: 206 })));
  const saved = show();

  await userEvent.click(screen.getByRole("button", { name: "Annotated MP4" }));

  expect(await screen.findByRole("link", { name: "Annotated MP4" })).toHaveAttribute("download", "cars-annotated.mp4");
  expect(saved).toHaveBeenCalledOnce();
});

test("a video that was drawn before is offered and not saved unasked", () => {
  const saved = show({ isFetched: true });

  expect(screen.getByRole("link", { name: "Annotated MP4" })).toBeVisible();
  expect(saved).not.toHaveBeenCalled();
});
