import { expect, test, vi } from "vitest";

import { handleKey, registerShortcuts, shortcuts, subscribeToShortcuts } from "./shortcuts";

function press(key: string, changes: { on?: HTMLElement; at?: number; ctrlKey?: boolean } = {}): void {
  const event = new KeyboardEvent("keydown", {
    key,
    bubbles: true,
    cancelable: true,
    ctrlKey: changes.ctrlKey ?? false,
  });
  Object.defineProperty(event, "timeStamp", { value: changes.at ?? 0 });
  const on = changes.on ?? document.body;
  on.addEventListener("keydown", handleKey, { once: true });
  on.dispatchEvent(event);
}

function registered(keys: string) {
  const run = vi.fn();
  const end = registerShortcuts([{ keys, name: "Do it", group: "Here", run }]);
  return { run, end };
}

test("two keys in a row run what they mean, once", () => {
  const { run, end } = registered("g x");

  press("g");
  press("x");
  press("x");

  expect(run).toHaveBeenCalledOnce();
  end();
});

test("two keys far apart mean nothing", () => {
  const { run, end } = registered("g x");

  press("g", { at: 10_000 });
  press("x", { at: 20_000 });

  expect(run).not.toHaveBeenCalled();
  end();
});

test.each(["input", "textarea", "select"])("nothing runs while a person is in an %s", (tag) => {
  const { run, end } = registered("q");
  const on = document.createElement(tag);

  press("q", { on });

  expect(run).not.toHaveBeenCalled();
  end();
});

test("the browser's own combinations stay its own", () => {
  const { run, end } = registered("q");

  press("q", { ctrlKey: true });

  expect(run).not.toHaveBeenCalled();
  end();
});

test("the newest meaning of a key counts until it is taken away, and listeners hear of both", () => {
  const heard = vi.fn();
  const unsubscribe = subscribeToShortcuts(heard);
  const old = registered("q");
  const page = registered("q");

  press("q");
  page.end();
  press("q");

  expect([old.run.mock.calls.length, page.run.mock.calls.length]).toEqual([1, 1]);
  old.end();
  unsubscribe();
  expect(heard).toHaveBeenCalledTimes(4);
  expect(shortcuts()).toEqual([]);
});

test("a shortcut without an action is listed only", () => {
  const end = registerShortcuts([{ keys: "z", name: "Listed", group: "Here" }]);

  press("z");

  expect(shortcuts().map(({ name }) => name)).toEqual(["Listed"]);
  end();
});
