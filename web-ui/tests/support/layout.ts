import { afterAll, beforeAll } from "vitest";

const SCROLLABLE_PX = 1_000_000;

/** Give every element a height, and let it be scrolled: jsdom lays nothing out, and a virtual list draws what has room. */
export function giveRoom(heightPx: number): void {
  const given = { clientHeight: heightPx, scrollHeight: SCROLLABLE_PX };
  const before = Object.getOwnPropertyDescriptors(Element.prototype);
  beforeAll(() => {
    for (const [name, value] of Object.entries(given)) {
      Object.defineProperty(Element.prototype, name, { configurable: true, get: () => value });
    }
    Element.prototype.scrollTo = function scrollTo(to?: ScrollToOptions | number): void {
      this.scrollTop = (typeof to === "object" ? to.top : undefined) ?? 0;
      queueMicrotask(() => this.dispatchEvent(new Event("scroll")));
    };
    Element.prototype.scrollBy = function scrollBy(by?: ScrollToOptions | number): void {
      this.scrollTop += (typeof by === "object" ? by.top : undefined) ?? 0;
    };
  });
  afterAll(() => {
    Object.defineProperty(Element.prototype, "clientHeight", before.clientHeight);
    Object.defineProperty(Element.prototype, "scrollHeight", before.scrollHeight);
  });
}
