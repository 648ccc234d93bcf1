import { expect, test } from "./support/test";

test("a job whose plugin dies says why and where, shows the log, and can be submitted again", async ({
  page,
  jobs,
}) => {
  const jobId = await jobs.submit("die", { at: 6 });
  await page.goto(`/jobs/${jobId}`);

  const failure = page.getByRole("alert").filter({ hasText: "The job failed: the plugin's process died" });
  await expect(failure).toContainText("killed by SIGSEGV", { timeout: 90_000 });
  await expect(failure).toContainText("At frame 6");
  await expect(failure.getByLabel("Last lines of the plugin's log")).toContainText("forgesyte_probe_plugin.py");

  await page.getByRole("button", { name: "Submit again" }).click();
  await expect(page).not.toHaveURL(new RegExp(jobId));
  await expect(failure).toContainText("At frame 6", { timeout: 90_000 });
  const again = page.url().slice(-36);
  expect((await jobs.ended(again)).error_message).toBe((await jobs.ended(jobId)).error_message);
});

test("a job whose plugin raises an error shows the message", async ({ page, jobs }) => {
  const jobId = await jobs.submit("raise", { at: 3 });
  await page.goto(`/jobs/${jobId}`);

  const failure = page.getByRole("alert").filter({ hasText: "The job failed: the plugin raised an error" });
  await expect(failure).toContainText("no luck at 3", { timeout: 90_000 });
});

test("what a failed job says fits a phone's width", async ({ page, jobs }) => {
  const jobId = await jobs.submit("die", { at: 6 });
  await jobs.ended(jobId);
  await page.setViewportSize({ width: 380, height: 820 });
  await page.goto(`/jobs/${jobId}`);

  const failure = page.getByRole("alert").filter({ hasText: "The job failed: the plugin's process died" });
  await expect(failure.getByLabel("Last lines of the plugin's log")).toBeVisible();
  expect(await failure.evaluate((banner) => banner.scrollWidth - banner.clientWidth)).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(380);
});
