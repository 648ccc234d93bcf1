import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

import { type Browser, expect, type Locator, type Page, test } from "@playwright/test";

import { Jobs } from "./support/jobs";
import { Server } from "./support/server";

const VIDEO = process.env.FORGESYTE_VIDEO ?? resolve(import.meta.dirname, "../../../shared/video/car-detection.mp4");
const INTO = resolve(import.meta.dirname, "../../docs/screens");
/** A desk's window and a phone's; what lies below `tallest` is left out of the picture. */
const WINDOWS = [
  { width: 1600, height: 1000, tallest: 1500 },
  { width: 380, height: 820, tallest: 1800 },
];
const WEBP_QUALITY = 80;

test("the pages, with the plugins that come with the product", async ({ browser }) => {
  await withServer("installed", async (server, jobs) => {
    const motion = { plugin: "motion-detector", file: VIDEO };
    const ended = await jobs.submit("track-objects", {}, motion);
    await jobs.ended(ended);
    await takeEach(browser, server, "job", `/jobs/${ended}#t=200`, async (page) => {
      await expect(page.getByRole("heading", { name: "Objects" })).toBeVisible();
      return page.locator("canvas[data-frame-index='200']");
    });
    await takeEach(browser, server, "analyze", "/", async (page) => {
      await page.locator("input[type=file]").setInputFiles(VIDEO);
      await page.getByRole("radio", { name: "motion-detector" }).click();
      await page.getByRole("checkbox", { name: /track/i }).first().check();
      return page.getByRole("button", { name: "Analyze", exact: true });
    });
    await takeEach(browser, server, "plugins", "/plugins", (page) =>
      page.getByRole("article", { name: "motion-detector" }),
    );

    const running = await withLongVideo((file) => jobs.submit("track-objects", {}, { ...motion, file }));
    await takeEach(browser, server, "job-running", `/jobs/${running}`, async (page) => {
      await expect(page.locator("#progress-bar")).not.toHaveAttribute("aria-valuenow", "0");
      return page.getByRole("img", { name: /with [1-9]\d* box/ });
    });
    await takeEach(browser, server, "devices", "/devices", (page) => page.getByText("1 of 1 busy"));
    await takeEach(browser, server, "jobs", "/jobs", (page) => page.getByText("Showing 2 of 2"));
  });
});

test("the page of a job whose plugin fails", async ({ browser }) => {
  await withServer("for tests", async (server, jobs) => {
    const failed = await jobs.submit("raise", { at: 190 }, { file: VIDEO });
    await jobs.ended(failed);
    await takeEach(browser, server, "job-failed", `/jobs/${failed}#t=189`, async (page) => {
      await expect(page.getByText("Nothing was found")).toBeVisible();
      return page.locator("canvas[data-frame-index='189']");
    });
  });
});

async function withServer(
  plugins: "for tests" | "installed",
  take: (server: Server, jobs: Jobs) => Promise<void>,
): Promise<void> {
  if (!existsSync(VIDEO)) throw new Error(`there is no ${VIDEO}: name a video with make screens VIDEO=path`);
  const server = new Server(plugins);
  try {
    server.makeClip();
    await server.start();
    const jobs = new Jobs(server);
    await take(server, jobs);
    await jobs.end();
  } finally {
    await server.remove();
  }
}

/** Hand over the video many times over, so that a job over it still runs when its picture is taken. */
async function withLongVideo<Result>(submit: (file: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "forgesyte-screens-"));
  const file = join(folder, basename(VIDEO));
  try {
    execFileSync("ffmpeg", ["-loglevel", "error", "-stream_loop", "39", "-i", VIDEO, "-c", "copy", file]);
    return await submit(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Take a page in light and dark, in each window, while what `ready` waits for and names is in sight. */
async function takeEach(
  browser: Browser,
  server: Server,
  name: string,
  path: string,
  ready: (page: Page) => Locator | Promise<Locator>,
): Promise<void> {
  for (const { tallest, ...viewport } of WINDOWS) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ baseURL: server.url, colorScheme, viewport, reducedMotion: "reduce" });
      await page.goto(path);
      const sign = await ready(page);
      await expect(sign.first()).toBeVisible();
      // As tall as its content, so that what keeps to an edge of the window stays at the edge of the picture.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: viewport.width, height: Math.min(height, tallest) });
      // The navigation follows the window in a transition.
      await page.waitForFunction(
        () => Math.abs((document.querySelector("nav")?.getBoundingClientRect().bottom ?? 0) - window.innerHeight) < 1,
      );
      let picture: Buffer;
      let shown: string | null;
      do {
        shown = await sign.first().getAttribute("aria-label");
        picture = await takePicture(page);
      } while (!(await sign.first().isVisible()) || shown !== (await sign.first().getAttribute("aria-label")));
      writeFileSync(join(INTO, `${name}-${colorScheme}-${viewport.width}.webp`), picture);
      await page.close();
    }
  }
}

/** What the window shows as WebP, which Playwright's own screenshots cannot be. */
async function takePicture(page: Page): Promise<Buffer> {
  const browser = await page.context().newCDPSession(page);
  const { data } = await browser.send("Page.captureScreenshot", { format: "webp", quality: WEBP_QUALITY });
  return Buffer.from(data, "base64");
}
