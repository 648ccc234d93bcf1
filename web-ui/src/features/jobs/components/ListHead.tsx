import { FlexRender, type ReactTable } from "@tanstack/react-table";

import type { Job } from "../api/job";
import type { features } from "./columns";
import classes from "./rows.module.css";

/** The titles of the columns. */
export function ListHead({ table }: { table: ReactTable<typeof features, Job> }) {
  return (
    <div role="rowgroup">
      {table.getHeaderGroups().map((group) => (
        <div key={group.id} role="row" className={classes.head} aria-rowindex={1}>
          {group.headers.map((header) => (
            <div key={header.id} role="columnheader" className={classes.cell} data-column={header.column.id}>
              <FlexRender header={header} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}
