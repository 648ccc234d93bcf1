import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the services; `make up` serves them there. */
const server = process.env.FORGESYTE_URL ?? "http://127.0.0.1:8000";
const services = ["/v1", "/ws", "/health", "/openapi.json", "/asyncapi.json"];

const TESTS = ["src/**/*.test.{ts,tsx}", "tests/**/*.{spec,test}.{ts,tsx}"];
/** Tests that fake the network, which cannot be done inside a virtual machine of the worker. */
const NETWORKED = [
  "tests/shell.test.tsx",
  "src/app/pages/*.test.tsx",
  "src/features/upload/api/*.test.ts",
  "src/features/player/{api,record}/*.test.tsx",
  "src/features/*/components/**/{Analyze,*Screen}.test.tsx",
];

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    // The services take changes from their own origin only, so the proxy speaks as a page that they served.
    proxy: Object.fromEntries(
      services.map((path) => [path, { target: server, changeOrigin: true, ws: true, headers: { origin: server } }]),
    ),
  },
  build: { target: "es2023", sourcemap: false, chunkSizeWarningLimit: 700 },
  test: {
    environment: "jsdom",
    globals: false,
    setupFiles: ["tests/support/setup.ts"],
    css: false,
    restoreMocks: true,
    unstubGlobals: true,
    projects: [
      // One jsdom per worker instead of one per file: it takes longer to make than most files run.
      { extends: true, test: { name: "parts", include: TESTS, exclude: NETWORKED, pool: "vmThreads" } },
      { extends: true, test: { name: "networked", include: NETWORKED } },
    ],
  },
});
