import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { createMemoryRouter } from "react-router";
import { RouterProvider } from "react-router/dom";
import { expect, test, vi } from "vitest";

import { answersRecord, aRecord, JOB } from "../../../tests/support/jobRecord";
import { fakeNetwork, server } from "../../../tests/support/server";
import { Shell } from "../Shell";
import { JobPage } from "./JobPage";

vi.mock("./job/JobBody", () => ({ JobBody: () => null }));

fakeNetwork();

test("the tab of a job is named after its file, also when the reader comes back to it", async () => {
  server.use(
    answersRecord(aRecord()),
    http.get("*/health", () =>
      HttpResponse.json({ status: "healthy", version: "0.1.0", plugins_loaded: 1, checks: {} }),
    ),
  );
  const children = [
    { path: "jobs", handle: { title: "Jobs" }, element: <h1>Jobs here</h1> },
    { path: "jobs/:jobId", handle: { title: "Job" }, element: <JobPage /> },
  ];
  const router = createMemoryRouter([{ element: <Shell />, children }], { initialEntries: [`/jobs/${JOB}`] });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  expect(document.title).toBe("Job · ForgeSyte");
  await waitFor(() => expect(document.title).toBe("traffic.mp4 · ForgeSyte"));

  await act(() => router.navigate("/jobs"));
  await screen.findByRole("heading", { name: "Jobs here" });
  expect(document.title).toBe("Jobs · ForgeSyte");

  await act(() => router.navigate(`/jobs/${JOB}`));
  await waitFor(() => expect(document.title).toBe("traffic.mp4 · ForgeSyte"));
});
