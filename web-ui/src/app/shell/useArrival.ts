import { useEffect, useLayoutEffect, useRef } from "react";
import { useLocation, useMatches } from "react-router";

import { documentTitle, texts } from "@/lib/texts";

/** At each new address: name the page in the browser's tab, and move the focus to its heading, as a loaded page would. */
export function useArrival(): void {
  const { pathname } = useLocation();
  const matches = useMatches();
  const title = titleOf(matches.at(-1)?.handle);
  useLayoutEffect(() => {
    document.title = title === null ? texts.product : documentTitle(title);
  }, [title, pathname]);

  const arrivedAt = useRef(pathname);
  useEffect(() => {
    if (arrivedAt.current === pathname) return;
    arrivedAt.current = pathname;
    const heading = document.querySelector<HTMLElement>("main h1") ?? document.querySelector<HTMLElement>("main");
    if (heading === null) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [pathname]);
}

function titleOf(handle: unknown): string | null {
  if (typeof handle !== "object" || handle === null || !("title" in handle)) return null;
  return typeof handle.title === "string" ? handle.title : null;
}
