import { countText } from "@/lib/format";

import type { Job } from "../api/job";
import { texts } from "../texts";
import classes from "./RowProgress.module.css";

/** How far a job is. Drawn as SVG, since a list shows many at once. */
export function RowProgress({ job }: { job: Job }) {
  const percent = job.progress ?? null;
  return (
    <span className={classes.progress}>
      <svg className={classes.bar} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden>
        <rect className={classes.track} width={100} height={6} />
        <rect className={classes.done} data-status={job.status} width={percent ?? 0} height={6} />
      </svg>
      <span className={classes.percent}>{percent === null ? texts.unknown : `${Math.floor(percent)}%`}</span>
    </span>
  );
}

/** How many frames are done, and of how many where that is known. */
export function framesText(job: Job): string {
  if (job.current_frame == null) return texts.unknown;
  const done = countText(job.current_frame);
  if (job.total_frames == null || job.status === "completed") return done;
  return `${done} / ${countText(job.total_frames)}`;
}
