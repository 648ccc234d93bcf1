import { defineConfig } from "@playwright/test";

import base from "./playwright.config";

/** Takes the pictures of docs/screens (`make screens`); nothing here is a test. */
export default defineConfig({ ...base, testMatch: "**/*.screens.ts", timeout: 600_000 });
