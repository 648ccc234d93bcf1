import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll } from "vitest";

/** The network of a test; a test that imports it answers requests with `server.use(...)`. */
export const server = setupServer();

beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());
