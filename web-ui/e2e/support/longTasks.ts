import type { Page } from "@playwright/test";

declare global {
  interface Window {
    longTasksMs: number[];
  }
}

/** Whether a long task fails a test; on a busy machine it says more about the neighbours than about the page. */
export const IS_STRICT = process.env.FORGESYTE_STRICT === "1";
export const LONGEST_TASK_MS = 100;

/** Note every task of the page that takes more than 50 ms; what a page does at its opening counts after a reload. */
export async function watchLongTasks(page: Page): Promise<void> {
  const watch = () => {
    window.longTasksMs = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.longTasksMs.push(entry.duration);
    }).observe({ type: "longtask" });
  };
  await page.addInitScript(watch);
  await page.evaluate(watch);
}

/** The tasks noted since the last call, in milliseconds. */
export function takeLongTasks(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const taken = window.longTasksMs;
    window.longTasksMs = [];
    return taken;
  });
}

/** Scroll an element to its end, so far in each frame; return how many frames that took, and in how many seconds. */
export function scrollToEnd(page: Page, selector: string, pxPerFrame: number) {
  return page.evaluate(
    async ([found, step]) => {
      const scroller = document.querySelector(found);
      if (scroller === null) throw new Error(`there is no ${found}`);
      scroller.scrollTo({ top: 0 });
      const startedMs = performance.now();
      let frames = 0;
      for (let before = -1; scroller.scrollTop !== before; frames += 1) {
        before = scroller.scrollTop;
        scroller.scrollBy({ top: step });
        await new Promise(requestAnimationFrame);
      }
      return { frames, seconds: (performance.now() - startedMs) / 1_000 };
    },
    [selector, pxPerFrame] as const,
  );
}
