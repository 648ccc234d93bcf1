import { useEffect, useState } from "react";

const SHOWN_MS = 3_000;

/** Copies the address of a frame. Where a page may not copy (plain http on a LAN), the browser's own address leads to the frame from then on. */
export function useFrameLink(addressOf: (frame: number) => string) {
  const [made, setMade] = useState<{ as: "copied" | "addressed" } | null>(null);
  useEffect(() => {
    if (made === null) return;
    const timer = setTimeout(() => setMade(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [made]);

  const make = async (frame: number): Promise<void> => {
    const address = addressOf(frame);
    try {
      await navigator.clipboard.writeText(address);
      setMade({ as: "copied" });
    } catch {
      globalThis.history.replaceState(globalThis.history.state, "", address);
      setMade({ as: "addressed" });
    }
  };
  /** What the last call did, for a moment. */
  return { made: made?.as ?? null, make };
}
