import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";
import { createMemoryRouter } from "react-router";
import { RouterProvider } from "react-router/dom";

type Rendered = RenderResult & { address: () => string; client: QueryClient };

/** Render a part of the page at an address, with all providers; answers are not shared between tests. */
export function renderAt(address: string, element: ReactNode): Rendered {
  const router = createMemoryRouter([{ path: "*", element }], { initialEntries: [address] });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false }, mutations: { retry: false } } });
  const rendered = render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <Notifications />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return Object.assign(rendered, {
    client,
    address: () => `${router.state.location.pathname}${router.state.location.search}`,
  });
}
