import { Card } from "@mantine/core";
import type { ReactNode } from "react";

import classes from "./OverlayLayout.module.css";

interface Props {
  /** Of the connection, for a job that has one. */
  sign?: ReactNode;
  bar: ReactNode;
  notices: ReactNode;
  /** A running job has one. */
  picture?: ReactNode;
  inspector: ReactNode;
  device?: ReactNode;
}

/** Where the parts of the overlay stand: picture beside inspector where there is room, else below each other. */
export function OverlayLayout({ sign, bar, notices, picture, inspector, device }: Props) {
  return (
    <section className={classes.overlay} aria-label="Job at a glance">
      <Card withBorder padding="md" className={classes.head}>
        {sign === undefined ? null : <div className={classes.sign}>{sign}</div>}
        {bar}
      </Card>
      {notices}
      <div className={picture === undefined ? classes.single : classes.columns}>
        {picture}
        <div className={classes.side}>
          {inspector}
          {device}
        </div>
      </div>
    </section>
  );
}
