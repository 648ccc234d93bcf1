import { useSyncExternalStore } from "react";

import type { ReviewSession, ReviewState } from "../engine/ReviewSession";

/** The state of a review; with `read`, only renders when what it returns has changed. */
export function useReview<Part>(session: ReviewSession, read: (state: ReviewState) => Part): Part {
  return useSyncExternalStore(session.subscribe, () => read(session.getState()));
}
