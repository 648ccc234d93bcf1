import { useState } from "react";

import { asProblem } from "@/lib/problem";

/** What is known of a question to a service. */
export interface Question {
  error: Error | null;
  errorUpdateCount: number;
  isLoading: boolean;
  refetch: () => Promise<unknown>;
}

/** Why one of the questions failed, and how to ask it again; an unreached server stays that until it answers. */
export function useFailed(...questions: Question[]): { error: Error | null; retry: () => void } {
  const [unreached, setUnreached] = useState<Error | null>(null);
  const failed = questions.find((question) => question.error !== null);
  // While a question without an answer is asked again, it has no error.
  const isAskedAgain = questions.some((question) => question.isLoading && question.errorUpdateCount > 0);
  const error = failed?.error ?? (isAskedAgain ? unreached : null);
  const next = error !== null && asProblem(error).status === 0 ? error : null;
  if (next !== unreached) setUnreached(next);
  return { error, retry: () => void failed?.refetch() };
}
