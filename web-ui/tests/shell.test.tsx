import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { createMemoryRouter } from "react-router";
import { RouterProvider } from "react-router/dom";
import { expect, test } from "vitest";

import { NotFoundPage } from "@/app/NotFoundPage";
import { Shell } from "@/app/Shell";

test("an unknown address says so inside the navigation", () => {
  const router = createMemoryRouter([{ element: <Shell />, children: [{ path: "*", element: <NotFoundPage /> }] }], {
    initialEntries: ["/nowhere"],
  });

  render(
    <MantineProvider>
      <RouterProvider router={router} />
    </MantineProvider>,
  );

  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("There is no such page");
  expect(screen.getByRole("link", { name: "Jobs" })).toHaveAttribute("href", "/jobs");
});
