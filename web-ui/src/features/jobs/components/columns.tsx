import { createColumnHelper, tableFeatures } from "@tanstack/react-table";
import { Link } from "react-router";

import { StatusBadge } from "@/components/ui/StatusBadge";
import { countText, durationText, momentText } from "@/lib/format";

import { isUnfinished, type Job, nameOf, runSeconds } from "../api/job";
import { texts } from "../texts";
import { CancelButton } from "./CancelButton";
import { framesText, RowProgress } from "./RowProgress";
import classes from "./rows.module.css";

/** The list asks the server to order and to filter, so the table needs no feature of its own. */
export const features = tableFeatures({});

const column = createColumnHelper<typeof features, Job>();
const { columns: titles } = texts;

/** The columns of the list; how wide they are, and which go first when room is short, is in rows.module.css. */
export const columns = column.columns([
  column.display({
    id: "status",
    header: titles.status,
    cell: ({ row }) => <StatusBadge status={row.original.status} />,
  }),
  column.display({ id: "name", header: titles.name, cell: ({ row }) => <JobLink job={row.original} /> }),
  column.display({ id: "plugin", header: titles.plugin, cell: ({ row }) => row.original.plugin_id }),
  column.display({ id: "tools", header: titles.tools, cell: ({ row }) => row.original.tools.join(", ") }),
  column.display({ id: "progress", header: titles.progress, cell: ({ row }) => <RowProgress job={row.original} /> }),
  column.display({ id: "frames", header: titles.frames, cell: ({ row }) => framesText(row.original) }),
  column.display({ id: "detections", header: titles.detections, cell: ({ row }) => detectionsText(row.original) }),
  column.display({ id: "submitted", header: titles.submitted, cell: ({ row }) => momentText(row.original.created_at) }),
  column.display({ id: "duration", header: titles.duration, cell: ({ row }) => durationOf(row.original) }),
  column.display({
    id: "actions",
    header: titles.actions,
    cell: ({ row }) => (isUnfinished(row.original) ? <CancelButton job={row.original} /> : null),
  }),
]);

/** The link of a row; it covers the whole row. */
export function JobLink({ job }: { job: Job }) {
  return (
    <Link className={classes.link} to={`/jobs/${job.job_id}`} title={job.error_message ?? nameOf(job)}>
      {nameOf(job)}
    </Link>
  );
}

/** How many objects were found so far. */
export function detectionsText(job: Job): string {
  return job.summary == null ? texts.unknown : countText(job.summary.detection_count);
}

/** How long a job has run. */
export function durationOf(job: Job): string {
  const seconds = runSeconds(job);
  return seconds === null ? texts.unknown : durationText(seconds);
}
