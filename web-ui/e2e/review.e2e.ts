import { existsSync } from "node:fs";
import { resolve } from "node:path";

import type { Page } from "@playwright/test";

import { expect, test } from "./support/test";

const CARS = resolve(import.meta.dirname, "../../../shared/video/car-detection.mp4");

interface Row {
  frame_index: number;
  /** Lists under names of the tool's own; what has `xyxy` is a box. */
  detections: Record<string, unknown>;
}

declare global {
  interface Window {
    seen: { pictures: string[]; percents: number[] };
  }
}

test("an uploaded video moves its progress, shows boxes while it runs, and is reviewed frame by frame", async ({
  page,
  jobs,
}) => {
  test.skip(!existsSync(CARS), `there is no ${CARS}`);
  // The slot is taken, so that the page watches the job from before its first frame, however fast the machine is.
  const first = await jobs.submitGated();
  await noteWhatIsSeen(page);

  await page.goto("/");
  await page.locator("input[type=file]").setInputFiles(CARS);
  await page.getByRole("radio", { name: "motion-detector" }).click();
  await page
    .getByRole("checkbox", { name: /motion/i })
    .first()
    .check();
  await page.getByRole("button", { name: "Analyze", exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}$/);
  const jobId = page.url().slice(-36);
  await expect(page.getByRole("heading", { level: 1, name: "car-detection.mp4" })).toBeVisible();
  await expect(page.locator("[data-connection=CONNECTED]")).toHaveText("Live");

  first.open();
  await expect(page.locator("[data-status=completed]").first()).toBeVisible({ timeout: 90_000 });
  const { pictures, percents } = await page.evaluate(() => window.seen);
  expect(pictures.some((label) => /^Frame \d+ with [1-9]\d* box/.test(label))).toBe(true);
  expect(percents.some((percent) => percent > 0 && percent < 100)).toBe(true);
  expect(percents).toEqual(percents.toSorted((one, other) => one - other));
  await expect(page.locator("#progress-bar")).toHaveAttribute("aria-valuetext", "Complete");
  await expect(page.locator("#plugin-inspector")).toBeVisible();

  const boxesOf = new Map((await jobs.rows<Row>(jobId)).map((row) => [row.frame_index, countBoxes(row)]));
  const frame = [...boxesOf].find(([index, count]) => index > 60 && count > 0)?.[0] ?? Number.NaN;
  await page.goto(`/jobs/${jobId}#t=${frame}`);
  await expectFrame(page, frame, boxesOf);
  await page.reload();
  await expectFrame(page, frame, boxesOf);
  const moves = [
    [".", frame + 1],
    [".", frame + 2],
    [",", frame + 1],
    ["End", boxesOf.size - 1],
    ["Home", 0],
  ] as const;
  for (const [key, to] of moves) {
    await page.keyboard.press(key);
    await expectFrame(page, to, boxesOf);
  }

  await page.getByRole("button", { name: "Next frame (.)" }).click();
  await expectFrame(page, 1, boxesOf);
  await page.getByRole("textbox", { name: "Go to frame" }).fill(String(frame));
  await page.keyboard.press("Enter");
  await expectFrame(page, frame, boxesOf);
  await expect(page.getByRole("heading", { name: "Objects" })).toBeVisible();
});

function countBoxes({ detections }: Row): number {
  const items: unknown[] = Object.values(detections).filter(Array.isArray).flat();
  return items.filter((item) => typeof item === "object" && item !== null && "xyxy" in item).length;
}

/** Wait until the player shows a frame, with as many boxes as its row has. */
async function expectFrame(page: Page, frame: number, boxesOf: ReadonlyMap<number, number>): Promise<void> {
  const canvas = page.locator("canvas[data-frame-index]");
  await expect(canvas).toHaveAttribute("data-frame-index", String(frame));
  await expect(canvas).toHaveAttribute("data-boxes", String(boxesOf.get(frame)));
}

/** Note every picture of the preview by its name, and every value of the progress bar. */
async function noteWhatIsSeen(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.seen = { pictures: [], percents: [] };
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        if (!(target instanceof Element)) continue;
        if (target.matches("canvas")) window.seen.pictures.push(target.ariaLabel ?? "");
        if (target.matches("#progress-bar")) window.seen.percents.push(Number(target.ariaValueNow));
      }
    }).observe(document, { subtree: true, attributeFilter: ["aria-label", "aria-valuenow"] });
  });
}
