/** The keyboard shortcuts of the page. Each page registers its own; the `?` sheet shows what is registered now. */

/** One shortcut. */
export interface Shortcut {
  /** Keys as KeyboardEvent.key has them, one after another: "?", "g j". */
  keys: string;
  name: string;
  /** The heading under which the sheet shows it. */
  group: string;
  /** Left out by a part that listens for its keys itself. */
  run?: () => void;
}

const NEXT_KEY_MS = 1_200;

let registered: readonly Shortcut[] = [];
let typed: string[] = [];
let typedAt = 0;
const listeners = new Set<() => void>();

/** Register shortcuts. Returns the function that takes them away again. */
export function registerShortcuts(added: readonly Shortcut[]): () => void {
  change([...registered, ...added]);
  return () => change(registered.filter((shortcut) => !added.includes(shortcut)));
}

/** Return the shortcuts that are registered now; a new array after each change. */
export function shortcuts(): readonly Shortcut[] {
  return registered;
}

/** Call `listener` after each change. Returns the function that ends it. */
export function subscribeToShortcuts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Run what a key means, unless the person is typing, or holds Ctrl, Alt or Meta. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  if (event.key === "Shift") return;
  if (event.timeStamp - typedAt > NEXT_KEY_MS) typed = [];
  typedAt = event.timeStamp;
  typed = [...typed, event.key].slice(-2);
  const found = runnable(typed.join(" ")) ?? runnable(event.key);
  if (found?.run === undefined) return;
  typed = [];
  event.preventDefault();
  found.run();
}

/** The newest wins, so that a page may take a key over. */
function runnable(keys: string): Shortcut | undefined {
  return registered.findLast((shortcut) => shortcut.keys === keys && shortcut.run !== undefined);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=radio], [type=checkbox]), textarea, select");
}

function change(next: readonly Shortcut[]): void {
  registered = next;
  for (const listener of listeners) listener();
}
