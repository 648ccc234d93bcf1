import { Button } from "@mantine/core";
import { Link } from "react-router";

import { EmptyState } from "@/components/feedback/EmptyState";

import { texts } from "../texts";

interface Props {
  /** Whether a filter hides the jobs that there may be. */
  isNarrowed: boolean;
  onWiden: () => void;
}

/** The list without a job. */
export function NoJobs({ isNarrowed, onWiden }: Props) {
  const { title, next, action } = isNarrowed ? texts.noMatch : texts.empty;
  return (
    <EmptyState title={title} next={next}>
      {isNarrowed ? (
        <Button mt="sm" variant="default" onClick={onWiden}>
          {action}
        </Button>
      ) : (
        <Button mt="sm" component={Link} to="/">
          {action}
        </Button>
      )}
    </EmptyState>
  );
}
