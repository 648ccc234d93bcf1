import { useEffect } from "react";

import type { Shortcut } from "@/lib/shortcuts";
import { useShortcuts } from "@/lib/useShortcuts";

import type { ReviewSession } from "../engine/ReviewSession";
import { WHOLE } from "../engine/view";
import { texts } from "../texts";

type Ranges = readonly (readonly [number, number])[];
type Action = (session: ReviewSession, ranges: Ranges) => void;

const STEP = 1.4;
/** How far one key moves the picture, in page pixels. */
const PAN = 60;

type Actions = Readonly<Record<string, Action>>;

const ZOOM: Actions = {
  "+": (session) => session.zoom(STEP),
  "=": (session) => session.zoom(STEP),
  "-": (session) => session.zoom(1 / STEP),
  "0": (session) => session.setView(WHOLE),
  "Shift+ArrowLeft": (session) => session.pan(PAN, 0),
  "Shift+ArrowRight": (session) => session.pan(-PAN, 0),
  "Shift+ArrowUp": (session) => session.pan(0, PAN),
  "Shift+ArrowDown": (session) => session.pan(0, -PAN),
};

const ALL: Actions = {
  " ": (session) => session.player?.toggle(),
  ",": (session) => session.player?.step(-1),
  ".": (session) => session.player?.step(1),
  "[": (session, ranges) => void session.goToDetection(-1, ranges),
  "]": (session, ranges) => void session.goToDetection(1, ranges),
  Home: (session) => session.player?.goTo(0),
  End: (session) => session.player?.goTo(session.table.count - 1),
  ...ZOOM,
};

/** What the sheet of shortcuts says; the player listens by itself, because its keys depend on what has the focus. */
const LISTED_ZOOM = listed(texts.keys.group, texts.keys.zoom);
const LISTED: readonly Shortcut[] = [
  ...listed(texts.keys.group, texts.keys.names),
  ...LISTED_ZOOM,
  ...listed(texts.timeline.title, texts.keys.timeline),
];
const NO_RANGES: Ranges = [];

const TICKED = "input[type=checkbox], input[type=radio], input[type=button], input[type=submit]";

/** Controls that are filled in, or that hold the keyboard while they are open: every key is theirs. */
const EVERY_KEY = `input:not(${TICKED}, [type=range]), textarea, select, [contenteditable], [role=dialog], [role=listbox]`;
const SLIDER = "input[type=range], [role=slider]";
const SLIDER_KEYS: readonly string[] = ["Home", "End"];
const PRESSED_BY_SPACE = `button, a, summary, ${TICKED}, [role=button], [role=switch], [role=checkbox]`;

/** The keys of the player, wherever the focus is, except where a control needs them. */
export function useReviewKeys(session: ReviewSession, ranges: Ranges): void {
  useShortcuts(LISTED);
  useActions(session, ranges, ALL);
}

/** The keys of an image: those by which it is looked at closely. */
export function useZoomKeys(session: ReviewSession): void {
  useShortcuts(LISTED_ZOOM);
  useActions(session, NO_RANGES, ZOOM);
}

function useActions(session: ReviewSession, ranges: Ranges, actions: Actions): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isPan = event.shiftKey && event.key.startsWith("Arrow");
      const action = actions[isPan ? `Shift+${event.key}` : event.key];
      if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && isNeeded(event.key, event.target)) return;
      event.preventDefault();
      action(session, ranges);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, [session, ranges, actions]);
}

function isNeeded(key: string, target: Element): boolean {
  if (target.closest(EVERY_KEY) !== null) return true;
  if (SLIDER_KEYS.includes(key)) return target.closest(SLIDER) !== null;
  return key === " " && target.closest(PRESSED_BY_SPACE) !== null;
}

function listed(group: string, names: Readonly<Record<string, string>>): Shortcut[] {
  return Object.entries(names).map(([keys, name]) => ({ keys, name, group }));
}
