import { asProblem } from "@/lib/problem";
import { useSecondsSince } from "@/lib/polling";
import { durationText } from "@/lib/format";

import { StaleNotice } from "./StaleNotice";

interface Props {
  /** Why the newest answer is missing; null where it is not. */
  error: unknown;
  /** When the last answer came, as Date.now() gives it. */
  answeredAtMs: number;
}

/** Says since when the server has not answered; nothing while it does. */
export function StaleSince({ error, answeredAtMs }: Props) {
  const seconds = useSecondsSince(error === null ? null : answeredAtMs);
  if (seconds === null) return null;
  const { status, title } = asProblem(error);
  const why = status === 0 ? "" : ` ${title}.`;
  return (
    <StaleNotice
      text={`Not reached since ${durationText(seconds)}.${why} What you see is from then; the page tries again by itself.`}
    />
  );
}
