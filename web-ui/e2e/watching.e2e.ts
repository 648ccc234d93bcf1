import type { Page } from "@playwright/test";

import { expect, test } from "./support/test";

/** The connection's sign in the overlay. */
const sign = (page: Page) => page.locator("[data-connection]");

test("a running job is cancelled from its page", async ({ page, jobs }) => {
  const { jobId } = await jobs.submitGated();
  await page.goto(`/jobs/${jobId}`);
  await expect(sign(page)).toHaveText("Live");

  await page.getByRole("button", { name: "Cancel job" }).click();

  await expect(page.locator("[data-status=cancelled]").first()).toBeVisible();
  const review = page.getByText("The job was cancelled. What had been found until then is below.");
  await expect(review.or(page.getByText("There is nothing to review"))).toBeVisible();
  await expect(page.getByRole("button", { name: "Submit again" })).toBeVisible();
  expect((await jobs.ended(jobId)).status).toBe("cancelled");
});

test("a running job is cancelled from the list", async ({ page, jobs }) => {
  const { jobId } = await jobs.submitGated();
  await page.goto("/jobs");

  await page.getByRole("button", { name: "Cancel clip.mp4" }).first().click();

  await expect(page.getByRole("row").nth(1)).toContainText("cancelled");
  expect((await jobs.ended(jobId)).status).toBe("cancelled");
});

test("when the server comes back, the page is live again without a reload", async ({ page, jobs, server }) => {
  const { jobId, open } = await jobs.submitGated();
  await page.clock.install();
  await page.goto(`/jobs/${jobId}`);
  await expect(sign(page)).toHaveText("Live");
  await page.evaluate(() => document.documentElement.setAttribute("data-not-reloaded", ""));
  // However long the server needs: the page's clock stands still between two tries.
  await page.clock.pauseAt(new Date(Date.now() + 60_000));

  await server.stop();
  await expect(sign(page)).toHaveText("Reconnecting");
  await server.start();
  await page.clock.resume();

  await expect(sign(page)).toHaveText("Live", { timeout: 60_000 });
  open();
  await expect(page.locator("[data-status=completed]").first()).toBeVisible({ timeout: 90_000 });
  await expect(page.locator("html[data-not-reloaded]")).toBeAttached();
});

test("when the server stays away, the connection is closed and Reconnect opens it again", async ({
  page,
  jobs,
  server,
}) => {
  const { jobId } = await jobs.submitGated();
  await page.clock.install();
  await page.goto(`/jobs/${jobId}`);
  await expect(sign(page)).toHaveText("Live");

  let tries = 0;
  page.on("websocket", (socket) => (tries += socket.url().includes("/v1/realtime") ? 1 : 0));

  await server.stop();
  try {
    await expect
      .poll(async () => {
        await page.clock.runFor(5_000);
        return sign(page).getAttribute("data-connection");
      })
      .toBe("CLOSED");
    await expect(sign(page)).toHaveText("Closed");
    expect(tries).toBe(5);
    await expect(page.getByRole("alert").filter({ hasText: "The connection is closed" })).toBeVisible();
  } finally {
    await server.start();
  }
  await page.getByRole("button", { name: "Reconnect" }).click();

  await expect(sign(page)).toHaveText("Live", { timeout: 60_000 });
  await expect(page.getByRole("button", { name: "Reconnect" })).toBeHidden();
});
