import { type KeyboardEvent, type RefObject, useEffect, useRef } from "react";

const ROWS_PER_PAGE = 10;

/** Where each key leads, from a row, in a list of so many rows. */
const MOVES: Record<string, (index: number, count: number) => number> = {
  ArrowDown: (index) => index + 1,
  ArrowUp: (index) => index - 1,
  PageDown: (index) => index + ROWS_PER_PAGE,
  PageUp: (index) => index - ROWS_PER_PAGE,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Arrow keys, Page Up and Down, Home and End lead from row to row; a row that is not drawn yet is focused once it is. */
export function useRowKeys(
  list: RefObject<HTMLElement | null>,
  count: number,
  scrollTo: (index: number) => void,
): (event: KeyboardEvent) => void {
  const wanted = useRef<number | null>(null);
  const focusWanted = () => {
    const link = list.current?.querySelector<HTMLElement>(`[data-index="${wanted.current ?? -1}"] a`);
    if (link == null) return;
    wanted.current = null;
    link.focus({ preventScroll: true });
  };
  useEffect(focusWanted);
  return (event) => {
    const move = MOVES[event.key];
    if (move === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const row = (event.target as Element).closest<HTMLElement>("[data-index]");
    if (row === null) return;
    event.preventDefault();
    const next = Math.min(count - 1, Math.max(0, move(Number(row.dataset.index), count)));
    wanted.current = next;
    scrollTo(next);
    focusWanted();
  };
}
