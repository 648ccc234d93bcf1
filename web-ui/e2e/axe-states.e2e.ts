import { createHash } from "node:crypto";

import { expect, type Page, test as plain } from "@playwright/test";

import { expectNothingSerious } from "./support/axe";
import { Server } from "./support/server";
import { test } from "./support/test";

const SCHEMES = ["light", "dark"] as const;

test.use({ reducedMotion: "reduce" });

/** Check the page as it stands, in light and in dark colours. */
async function expectNothingSeriousInBoth(page: Page): Promise<void> {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator(`html[data-mantine-color-scheme=${colorScheme}]`)).toBeAttached();
    await expectNothingSerious(page);
  }
}

test("axe has nothing serious to say about stale pages, a connection that is lost and one that is closed", async ({
  page,
  context,
  jobs,
  server,
}) => {
  const { jobId } = await jobs.submitGated();
  const plugins = await context.newPage();
  await plugins.goto("/plugins");
  await expect(plugins.getByRole("article", { name: "probe" })).toBeVisible();
  await page.clock.install();
  await page.goto(`/jobs/${jobId}`);
  await expect(page.locator("[data-connection=CONNECTED]")).toBeVisible();

  await server.stop();
  try {
    await expect(plugins.getByText(/^Not reached for/)).toBeVisible();
    await expectNothingSeriousInBoth(plugins);
    await expect(page.locator("[data-connection]")).toHaveText("Reconnecting");
    await expect(page.getByText("Polling")).toBeVisible();
    await expectNothingSeriousInBoth(page);

    await expect
      .poll(async () => {
        await page.clock.runFor(5_000);
        return page.locator("[data-connection]").getAttribute("data-connection");
      })
      .toBe("CLOSED");
    await expect(page.getByRole("button", { name: "Reconnect" })).toBeVisible();
    await expect(page.getByText(/^Not reached for/)).toBeVisible();
    await expectNothingSeriousInBoth(page);
  } finally {
    await server.start();
  }
});

test("axe has nothing serious to say about a job that was cancelled", async ({ page, jobs }) => {
  const { jobId } = await jobs.submitGated();
  await expect.poll(async () => (await jobs.ask(jobId)).current_frame).toBeGreaterThan(0);
  await jobs.cancel(jobId);
  await jobs.ended(jobId);

  await page.goto(`/jobs/${jobId}`);

  await expect(page.locator("canvas[data-frame-index]")).toBeVisible();
  await expect(page.getByText(/were not analyzed/)).toBeVisible();
  await expectNothingSeriousInBoth(page);
});

test("axe has nothing serious to say about an image", async ({ page, jobs }) => {
  await page.goto("/devices");
  await expect(page.getByRole("article").first()).toBeVisible();
  const jobId = await jobs.submitImage(await page.screenshot());
  expect((await jobs.ended(jobId)).status).toBe("completed");

  await page.goto(`/jobs/${jobId}`);

  await expect(page.locator("canvas[data-frame-index='0']")).toBeVisible();
  await expectNothingSeriousInBoth(page);
});

test("axe has nothing serious to say where there is nothing to show", async ({ page, jobs }) => {
  const jobId = await jobs.submit("raise", { at: 0 });
  await jobs.ended(jobId);

  await page.goto(`/jobs/${jobId}`);
  await expect(page.getByRole("heading", { name: "There is nothing to review" })).toBeVisible();
  await expectNothingSeriousInBoth(page);

  await page.goto("/jobs?plugin=no-such-plugin");
  await expect(page.getByRole("button", { name: "Show all jobs" })).toBeVisible();
  await expectNothingSeriousInBoth(page);

  await page.goto("/jobs/01900000-0000-7000-8000-000000000000");
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
  await expectNothingSeriousInBoth(page);
});

plain("axe has nothing serious to say about a server that asks for a key and has no job", async ({ page }) => {
  plain.setTimeout(300_000);
  const key = "a-key-for-this-test";
  const hash = createHash("sha256").update(key).digest("hex");
  const scopes = "read+analyze+stream+plugins+admin";
  const server = new Server("installed", { FORGESYTE_JOB_API_API_KEYS: `tests:${scopes}:${hash}` });
  try {
    await server.start();
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.goto(`${server.url}/jobs`);
    const dialog = page.getByRole("dialog", { name: "The server asks for an API key" });
    await expect(dialog).toBeVisible();
    await expectNothingSeriousInBoth(page);

    await dialog.getByLabel("API key").fill("another-key");
    await dialog.getByRole("button", { name: "Keep key" }).click();
    await expect(dialog.getByText(/does not know the key/)).toBeVisible();
    await expectNothingSeriousInBoth(page);

    await dialog.getByLabel("API key").fill(key);
    await dialog.getByRole("button", { name: "Keep key" }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByRole("heading", { name: "No jobs yet" })).toBeVisible();
    await expectNothingSeriousInBoth(page);

    await page.getByRole("button", { name: "API key" }).click();
    await expect(page.getByRole("button", { name: "Forget key" })).toBeVisible();
    await expectNothingSeriousInBoth(page);
  } finally {
    await server.remove();
  }
});
