import { Box } from "@mantine/core";
import { useTable } from "@tanstack/react-table";
import { useEffect, useRef } from "react";

import { isUnfinished, type Job } from "../api/job";
import { useRowKeys } from "../hooks/useRowKeys";
import { useRowWindow } from "../hooks/useRowWindow";
import { texts } from "../texts";
import { columns, features } from "./columns";
import { JobCard } from "./JobCard";
import { JobRow } from "./JobRow";
import { ListHead } from "./ListHead";
import classes from "./rows.module.css";

interface Props {
  jobs: Job[];
  /** Whether there is no room for columns. */
  isNarrow: boolean;
  /** Called with the unfinished jobs that can be seen. */
  onSeen: (jobIds: readonly string[]) => void;
  /** Called when the end of the list comes near. */
  onNearEnd: () => void;
}

const ROWS_BEFORE_END = 40;

/** The jobs, of which only those that can be seen are drawn. */
export function JobList({ jobs, isNarrow, onSeen, onNearEnd }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const table = useTable({ features, columns, data: jobs, getRowId: (job) => job.job_id });
  const { rows } = table.getRowModel();
  const { first, last, before, after, scrollTo } = useRowWindow(scroller, jobs, isNarrow);
  const onKeyDown = useRowKeys(scroller, jobs.length, scrollTo);
  const drawn = rows.slice(first, last + 1);

  useEffect(() => {
    onSeen(
      jobs
        .slice(first, last + 1)
        .filter(isUnfinished)
        .map((job) => job.job_id),
    );
  }, [jobs, first, last, onSeen]);
  useEffect(() => {
    if (last >= jobs.length - ROWS_BEFORE_END) onNearEnd();
  }, [jobs.length, last, onNearEnd]);

  const Item = isNarrow ? JobCard : JobRow;
  const items = drawn.map((row, place) => <Item key={row.id} row={row} index={first + place} />);
  const role = isNarrow ? { "aria-label": texts.list } : { role: "table", "aria-label": texts.list };
  return (
    <div ref={scroller} className={classes.scroller} data-cards={isNarrow || undefined} onKeyDown={onKeyDown}>
      <div {...role} aria-rowcount={isNarrow ? undefined : jobs.length + 1}>
        {isNarrow ? null : <ListHead table={table} />}
        <Box h={before} />
        <div role={isNarrow ? "list" : "rowgroup"} aria-label={isNarrow ? texts.list : undefined}>
          {items}
        </div>
        <Box h={after} />
      </div>
    </div>
  );
}
