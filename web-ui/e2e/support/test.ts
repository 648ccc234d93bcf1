import { test as base } from "@playwright/test";

import { Jobs } from "./jobs";
import { Server } from "./server";

interface ForTest {
  jobs: Jobs;
  /** Fails the test when a page asked another origin for anything or had an uncaught error. */
  watched: undefined;
}

/** Playwright's `test` against a real `forgesyte up`. */
export const test = base.extend<ForTest, { server: Server }>({
  server: [
    // eslint-disable-next-line no-empty-pattern -- Playwright wants a pattern to read the names from
    async ({}, provide) => {
      const server = new Server();
      try {
        server.makeClip();
        await server.start();
        await provide(server);
      } finally {
        await server.remove();
      }
    },
    { scope: "worker", timeout: 240_000 },
  ],
  baseURL: async ({ server }, provide) => provide(server.url),
  jobs: async ({ server }, provide) => {
    const jobs = new Jobs(server);
    await provide(jobs);
    await jobs.end();
  },
  watched: [
    async ({ context, server }, provide) => {
      const own = new URL(server.url).host;
      const faults: string[] = [];
      const check = (address: string) => {
        const { protocol, host } = new URL(address);
        const isAsked = protocol !== "data:" && protocol !== "blob:";
        if (isAsked && host !== own) faults.push(`asked another origin: ${address}`);
      };
      context.on("request", (request) => check(request.url()));
      context.on("page", (page) => page.on("websocket", (socket) => check(socket.url())));
      // What the page's policy forbids is stopped before it becomes a request; the browser only says so.
      context.on("console", (message) => {
        if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
      });
      context.on("weberror", (error) => faults.push(`an uncaught error: ${error.error().message}`));
      await provide(undefined);
      base.expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect } from "@playwright/test";
