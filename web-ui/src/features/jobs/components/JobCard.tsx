import { memo } from "react";

import { StatusBadge } from "@/components/ui/StatusBadge";
import { momentText } from "@/lib/format";

import { isUnfinished } from "../api/job";
import { texts } from "../texts";
import { CancelButton } from "./CancelButton";
import { detectionsText, durationOf, JobLink } from "./columns";
import { isSameRow, type RowProps } from "./JobRow";
import { framesText, RowProgress } from "./RowProgress";
import classes from "./rows.module.css";

/** A job where there is no room for columns. */
export const JobCard = memo(function JobCard({ row, index }: RowProps) {
  const job = row.original;
  return (
    <div role="listitem" className={classes.card} aria-posinset={index + 1} aria-setsize={-1} data-index={index}>
      <div className={classes.line}>
        <JobLink job={job} />
        <StatusBadge status={job.status} />
      </div>
      <RowProgress job={job} />
      <div className={classes.line}>
        <span className={classes.small}>
          {job.plugin_id}
          {job.current_frame == null ? "" : ` · ${texts.frames(framesText(job))}`}
          {job.summary == null ? "" : ` · ${texts.detections(detectionsText(job))}`}
        </span>
      </div>
      <div className={classes.line}>
        <span className={classes.small}>
          {momentText(job.created_at)} · {durationOf(job)}
        </span>
        {isUnfinished(job) ? <CancelButton job={job} /> : null}
      </div>
    </div>
  );
}, isSameRow);
