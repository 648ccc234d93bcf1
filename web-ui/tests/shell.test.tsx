import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { createMemoryRouter } from "react-router";
import { RouterProvider } from "react-router/dom";
import { afterEach, beforeEach, expect, test } from "vitest";

import { NotFoundPage } from "@/app/NotFoundPage";
import { Shell } from "@/app/Shell";
import { apiKey, keepApiKey, wantApiKey } from "@/lib/apiKey";

import { fakeNetwork, server } from "./support/server";

fakeNetwork();

const HEALTHY = { status: "healthy", version: "0.1.0", plugins_loaded: 1, checks: { bus: "ok" } };

function renderShell(address = "/jobs") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const children = [
    { path: "jobs", handle: { title: "Jobs" }, element: <h1>Jobs here</h1> },
    { path: "plugins", handle: { title: "Plugins" }, element: <h1>Plugins here</h1> },
    { path: "*", handle: { title: "There is no such page" }, element: <NotFoundPage /> },
  ];
  const router = createMemoryRouter([{ element: <Shell />, children }], { initialEntries: [address] });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { router, client, user: userEvent.setup() };
}

beforeEach(() => server.use(http.get("*/health", () => HttpResponse.json(HEALTHY))));
afterEach(() => keepApiKey(null));

test("an unknown address says so inside the navigation", () => {
  renderShell("/nowhere");

  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("There is no such page");
  expect(screen.getByRole("link", { name: "Jobs" })).toHaveAttribute("href", "/jobs");
  expect(document.title).toBe("There is no such page · ForgeSyte");
});

test("the health of the server is told in words", async () => {
  renderShell();

  expect(await screen.findByRole("button", { name: "Server: Healthy" })).toBeInTheDocument();
});

test("a degraded server names what is wrong", async () => {
  const checks = { bus: "ok", runners: "no living runner would take 2 waiting jobs" };
  server.use(http.get("*/health", () => HttpResponse.json({ ...HEALTHY, status: "degraded", checks })));
  const { user } = renderShell();

  await user.click(await screen.findByRole("button", { name: "Server: Degraded" }));

  expect(await screen.findByText(/no living runner would take 2 waiting jobs/)).toBeInTheDocument();
});

test("a server that falls silent is unreachable, and the page says since when it is old", async () => {
  const { client } = renderShell();
  await screen.findByRole("button", { name: "Server: Healthy" });
  server.use(http.get("*/health", () => HttpResponse.error()));

  await client.refetchQueries();

  expect(await screen.findByRole("button", { name: "Server: Unreachable" })).toBeInTheDocument();
  expect(screen.getByText(/has not been reached since/)).toBeInTheDocument();
});

test("the page asks for a key when the server did, keeps it and forgets it", async () => {
  const { user } = renderShell();
  wantApiKey();

  const asked = await screen.findByRole("dialog", { name: "The server asks for an API key" });
  await user.type(within(asked).getByLabelText("API key"), "secret");
  await user.click(within(asked).getByRole("button", { name: "Keep key" }));

  expect(apiKey()).toBe("secret");
  await user.click(screen.getByRole("button", { name: "API key" }));
  await user.click(await screen.findByRole("button", { name: "Forget key" }));
  expect(apiKey()).toBeNull();
});

test("who only looked at the key before is still asked for one when the server asks", async () => {
  const { user } = renderShell();
  await user.click(screen.getByRole("button", { name: "API key" }));
  await user.keyboard("{Escape}");

  wantApiKey();

  expect(await screen.findByRole("dialog", { name: "The server asks for an API key" })).toBeVisible();
});

test("a key that the server does not know is said to be unknown", async () => {
  keepApiKey("wrong");
  renderShell();
  wantApiKey();

  expect(await screen.findByText(/does not know the key that is kept here/)).toBeInTheDocument();
});

test("keys lead from page to page, the focus goes to the heading, the tab has the page's name", async () => {
  const { router, user } = renderShell();

  await user.keyboard("gp");

  expect(router.state.location.pathname).toBe("/plugins");
  expect(await screen.findByRole("heading", { level: 1, name: "Plugins here" })).toHaveFocus();
  expect(document.title).toBe("Plugins · ForgeSyte");
});

test("the question mark shows the shortcuts", async () => {
  const { user } = renderShell();

  await user.keyboard("?");

  const sheet = await screen.findByRole("dialog", { name: "Keyboard shortcuts" });
  expect(within(sheet).getByText("Go to Jobs")).toBeInTheDocument();
});

test("the first Tab reaches a link over the navigation", async () => {
  const { user } = renderShell();

  await user.tab();

  expect(screen.getByRole("link", { name: "Skip to the page" })).toHaveFocus();
});

test("colours are chosen from three", async () => {
  const { user } = renderShell();

  await user.click(screen.getByRole("button", { name: "Colours" }));
  await user.click(await screen.findByRole("menuitemradio", { name: "Dark" }));

  expect(document.documentElement).toHaveAttribute("data-mantine-color-scheme", "dark");
});
