import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll } from "vitest";

/** The network of a test: each test says what the services answer; an unexpected request fails the test. */
export const server = setupServer();

/** Fake the network for all tests of this file. */
export function fakeNetwork(): void {
  beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
  afterEach(() => server.resetHandlers());
  afterAll(() => server.close());
}
