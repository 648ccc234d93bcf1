import { asProblem } from "@/lib/problem";
import { useSecondsSince } from "@/lib/polling";
import { durationText } from "@/lib/format";

import { StaleNotice } from "./StaleNotice";

interface Props {
  /** Why the newest answer is missing; null where it is not. */
  error: unknown;
  /** When the last answer came, as Date.now() gives it. */
  answeredAtMs: number;
  /** Set where the page does not ask again: what it shows exists no more. */
  isFinal?: boolean;
}

/** Says for how long the server has not answered as it should, and why; nothing while it does. */
export function StaleSince({ error, answeredAtMs, isFinal = false }: Props) {
  const seconds = useSecondsSince(error === null ? null : answeredAtMs);
  if (seconds === null) return null;
  const { status, title } = asProblem(error);
  const age = durationText(seconds);
  const isReached = status >= 400 && status < 500;
  const what = isReached ? `${title}.` : `Not reached for ${age}.${status === 0 ? "" : ` ${title}.`}`;
  const then = isFinal
    ? "What you see is the last that was known."
    : `What you see is ${isReached ? `${age} old` : "from before"}; the page tries again by itself.`;
  return <StaleNotice text={`${what} ${then}`} />;
}
