import { MantineProvider } from "@mantine/core";
import { render } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";

function Page({ children }: { children: ReactNode }) {
  return <MantineProvider env="test">{children}</MantineProvider>;
}

/** Render inside the page's providers. */
export function renderInPage(element: ReactElement) {
  return render(element, { wrapper: Page });
}
