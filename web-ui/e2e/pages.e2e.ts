import { expect, test } from "./support/test";

const PAGES = [
  ["/", "Analyze"],
  ["/jobs", "Jobs"],
  ["/plugins", "Plugins"],
  ["/devices", "Devices"],
] as const;

for (const [path, title] of PAGES) {
  test(`a link straight to ${path} opens ${title}`, async ({ page }) => {
    await page.goto(path);

    await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
    await expect(page).toHaveTitle(`${title} · ForgeSyte`);
    await expect(page.getByRole("link", { name: title, exact: true })).toHaveAttribute("aria-current", "page");
  });
}

test("an address that does not exist leads back", async ({ page }) => {
  await page.goto("/nowhere");

  await expect(page.getByRole("heading", { level: 1, name: "There is no such page" })).toBeVisible();
  await page.locator("main").getByRole("link", { name: "Analyze" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Analyze" })).toBeVisible();
});

test("a link to a job that does not exist says so", async ({ page }) => {
  await page.goto("/jobs/01900000-0000-7000-8000-000000000000");

  await expect(page.getByRole("alert")).toContainText(/not found|no such job|no job/i);
});

test("the list of jobs is narrowed by status and plugin, and the address keeps it", async ({ page, jobs }) => {
  const good = await jobs.submit("gate", {}, { filename: "good.mp4" });
  const bad = await jobs.submit("raise", { at: 1 }, { filename: "bad.mp4" });
  await jobs.ended(good);
  await jobs.ended(bad);
  await page.goto("/jobs");
  await expect(page.getByRole("row", { name: /good\.mp4/ }).first()).toBeVisible();
  await expect(page.getByText(/Showing \d+ of \d+/)).toBeVisible();

  await page.getByRole("group", { name: "Status" }).getByText("failed").click();
  await page.getByLabel("Plugin").selectOption("probe");

  await expect(page).toHaveURL("/jobs?status=failed&plugin=probe");
  await expect(page.getByRole("row", { name: /bad\.mp4/ }).first()).toBeVisible();
  await expect(page.getByRole("row", { name: /good\.mp4/ })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("row", { name: /bad\.mp4/ }).first()).toBeVisible();
  await expect(page.getByRole("row", { name: /good\.mp4/ })).toHaveCount(0);

  await page.goto("/jobs?plugin=no-such-plugin");
  await page.getByRole("button", { name: "Show all jobs" }).click();
  await expect(page.getByRole("row", { name: /good\.mp4/ }).first()).toBeVisible();
});

test("each plugin has a card, and its details open from the address", async ({ page }) => {
  await page.goto("/plugins");
  const card = page.getByRole("article", { name: "motion-detector" });
  await expect(card.locator("[data-status]").first()).toBeVisible();
  await expect(page.getByRole("article", { name: "probe" })).toBeVisible();

  await card.getByRole("button", { name: "Details of motion-detector" }).click();

  await expect(page).toHaveURL("/plugins?plugin=motion-detector");
  const details = page.getByRole("dialog");
  await expect(details.getByText("detect-motion").first()).toBeVisible();
  await page.reload();
  await expect(details.getByText("detect-motion").first()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL("/plugins");
});

test("the devices page shows the runner, and a running job takes its slot", async ({ page, jobs }) => {
  await page.goto("/devices");
  const runner = page.getByRole("article").filter({ has: page.locator("[data-status=alive]") });
  await expect(runner.getByText("0 of 1 busy")).toBeVisible();

  const { jobId } = await jobs.submitGated();

  await expect(runner.getByText("1 of 1 busy")).toBeVisible();
  await runner.getByRole("link", { name: `Job ${jobId.slice(-8)}` }).click();
  await expect(page).toHaveURL(`/jobs/${jobId}`);
  await expect(page.locator("[data-connection=CONNECTED]")).toBeVisible();
});

test("the question mark opens the sheet of shortcuts, and the shortcuts work", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1, name: "Analyze" })).toBeVisible();

  await page.keyboard.press("?");
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(sheet.getByText("Go to Jobs")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();

  for (const [key, title] of [
    ["j", "Jobs"],
    ["p", "Plugins"],
    ["d", "Devices"],
    ["a", "Analyze"],
  ] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
  }
});
