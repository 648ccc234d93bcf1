import { expectNothingSerious } from "./support/axe";
import { expect, test } from "./support/test";

test.use({ reducedMotion: "reduce" });

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme} colours, axe has nothing serious to say about`, () => {
    test.use({ colorScheme });

    test("the pages", async ({ page }) => {
      await page.goto("/");
      await expect(page.getByRole("radio", { name: "motion-detector" })).toBeVisible();
      await expect(page.getByRole("button", { name: "Choose files" })).toBeVisible();
      await expectNothingSerious(page);

      await page.keyboard.press("?");
      await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
      await expectNothingSerious(page);

      await page.goto("/plugins");
      await expect(page.getByRole("article", { name: "probe" })).toBeVisible();
      await expectNothingSerious(page);

      await page.goto("/plugins?plugin=motion-detector");
      await expect(page.getByRole("dialog").getByText("detect-motion").first()).toBeVisible();
      await expectNothingSerious(page);

      await page.goto("/devices");
      await expect(page.getByRole("article").first()).toBeVisible();
      await expectNothingSerious(page);

      await page.goto("/nowhere");
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expectNothingSerious(page);
    });

    test("a job while it runs and in the list, as a table and as cards", async ({ page, jobs }) => {
      const { jobId } = await jobs.submitGated();
      await page.goto(`/jobs/${jobId}`);
      await expect(page.locator("[data-connection=CONNECTED]")).toBeVisible();
      await expectNothingSerious(page);

      await page.goto("/jobs");
      await expect(page.getByRole("table")).toBeVisible();
      await expectNothingSerious(page);

      await page.setViewportSize({ width: 380, height: 800 });
      await expect(page.getByRole("listitem").first()).toBeVisible();
      await expectNothingSerious(page);
    });

    test("a job that has completed", async ({ page, jobs }) => {
      const jobId = await jobs.submit("detect-motion", {}, { plugin: "motion-detector" });
      await jobs.ended(jobId);
      await page.goto(`/jobs/${jobId}`);
      await expect(page.locator("canvas[data-frame-index]")).toBeVisible();
      await expectNothingSerious(page);
    });

    test("a job that has failed", async ({ page, jobs }) => {
      const jobId = await jobs.submit("die", { at: 6 });
      await jobs.ended(jobId);
      await page.goto(`/jobs/${jobId}`);
      await expect(page.getByLabel("Last lines of the plugin's log").first()).toBeVisible();
      await expectNothingSerious(page);
    });
  });
}
