import { useEffect, useMemo } from "react";
import { useNavigate } from "react-router";

import { handleKey, type Shortcut } from "@/lib/shortcuts";
import { texts } from "@/lib/texts";
import { useShortcuts } from "@/lib/useShortcuts";

const GOES = [
  { keys: "g a", to: "/", page: texts.pages.analyze },
  { keys: "g j", to: "/jobs", page: texts.pages.jobs },
  { keys: "g p", to: "/plugins", page: texts.pages.plugins },
  { keys: "g d", to: "/devices", page: texts.pages.devices },
];

/** Listen for shortcuts, and have those that work on every page. */
export function useShellShortcuts(openSheet: () => void): void {
  const navigate = useNavigate();
  const own = useMemo((): Shortcut[] => {
    const { group, go, sheet } = texts.shortcuts;
    const goes = GOES.map(({ keys, to, page }) => ({ keys, group, name: go(page), run: () => void navigate(to) }));
    return [...goes, { keys: "?", group, name: sheet, run: openSheet }];
  }, [navigate, openSheet]);
  useShortcuts(own);
  useEffect(() => {
    document.addEventListener("keydown", handleKey);
    return () => document.removeEventListener("keydown", handleKey);
  }, []);
}
