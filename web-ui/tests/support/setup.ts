import "@testing-library/jest-dom/vitest";

import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

// What jsdom lacks and Mantine asks for.
/* eslint-disable @typescript-eslint/no-deprecated -- the type still has the two old methods */
window.matchMedia = (query: string) => ({
  matches: false,
  media: query,
  onchange: null,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  dispatchEvent: () => false,
  addListener: () => undefined,
  removeListener: () => undefined,
});
/* eslint-enable @typescript-eslint/no-deprecated */
class ObserverOfNothing {
  observe(): void {
    /* jsdom lays nothing out, so nothing ever changes its size */
  }
  unobserve(): void {
    /* see observe */
  }
  disconnect(): void {
    /* see observe */
  }
}
window.ResizeObserver = ObserverOfNothing;
window.HTMLElement.prototype.scrollIntoView = () => undefined;
window.scrollTo = () => undefined;
Object.defineProperty(document, "fonts", { value: new EventTarget() });
