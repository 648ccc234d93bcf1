import { FlexRender, type Row } from "@tanstack/react-table";
import { memo } from "react";

import type { Job } from "../api/job";
import type { features } from "./columns";
import classes from "./rows.module.css";

export interface RowProps {
  row: Row<typeof features, Job>;
  /** Its place in the list, from 0. */
  index: number;
}

/** Rows are made again whenever the list grows; the job tells whether anything is to be drawn. */
export function isSameRow(before: RowProps, after: RowProps): boolean {
  return before.row.original === after.row.original && before.index === after.index;
}

/** A job as a row of the table. */
export const JobRow = memo(function JobRow({ row, index }: RowProps) {
  return (
    <div role="row" className={classes.row} aria-rowindex={index + 2} data-index={index}>
      {row.getAllCells().map((cell) => (
        <div key={cell.id} role="cell" className={classes.cell} data-column={cell.column.id}>
          <FlexRender cell={cell} />
        </div>
      ))}
    </div>
  );
}, isSameRow);
