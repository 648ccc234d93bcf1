import { useEffect } from "react";

import { registerShortcuts, type Shortcut } from "./shortcuts";

/** Have shortcuts while a component is shown. `own` must be the same array from one rendering to the next. */
export function useShortcuts(own: readonly Shortcut[]): void {
  useEffect(() => registerShortcuts(own), [own]);
}
