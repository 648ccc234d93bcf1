import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useRef } from "react";

import type { Job } from "../api/job";

const ROW_PX = 44;
/** The titles of the columns stay on top of the rows. */
const HEAD_PX = 38;
const CARD_PX = 124;
const CARD_GAP_PX = 8;
const ROWS_BEYOND = 12;
/** What a list shows before it was measured, so that its first picture has rows. */
const FIRST_GUESS = { width: 1_000, height: 900 };

/** Which rows can be seen, and how much room the others take before and after them. */
export function useRowWindow(scroller: RefObject<HTMLElement | null>, jobs: readonly Job[], isNarrow: boolean) {
  const rowPx = isNarrow ? CARD_PX + CARD_GAP_PX : ROW_PX;
  const headPx = isNarrow ? 0 : HEAD_PX;
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are used here alone, and never memoised
  const rows = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: ROWS_BEYOND,
    scrollMargin: headPx,
    scrollPaddingStart: headPx,
    initialRect: FIRST_GUESS,
  });
  useKeptPlace(scroller, jobs, rowPx);
  const seen = rows.getVirtualItems();
  const first = seen[0]?.index ?? 0;
  const last = seen.at(-1)?.index ?? -1;
  return {
    first,
    last,
    before: first * rowPx,
    after: Math.max(0, jobs.length - 1 - last) * rowPx,
    scrollTo: (index: number) => rows.scrollToIndex(index, { align: "auto" }),
  };
}

/** Keep what the reader looks at where it is when jobs come in on top; a reader at the top sees them come in. */
function useKeptPlace(scroller: RefObject<HTMLElement | null>, jobs: readonly Job[], rowPx: number): void {
  const top = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const before = top.current;
    top.current = jobs[0]?.job_id;
    if (before === undefined || before === top.current) return;
    const element = scroller.current;
    if (element === null || element.scrollTop === 0) return;
    const moved = jobs.findIndex((job) => job.job_id === before);
    if (moved > 0) element.scrollBy({ top: moved * rowPx });
  }, [scroller, jobs, rowPx]);
}
