import { Card, Text } from "@mantine/core";
import type { ReactNode } from "react";

import { texts } from "../texts";
import classes from "./OverlayLayout.module.css";

interface Props {
  /** The job's state in words. */
  status?: ReactNode;
  bar: ReactNode;
  notices: ReactNode;
  /** A running job has one. */
  picture?: ReactNode;
  /** Of the connection, above the picture that comes through it. */
  sign?: ReactNode;
  inspector: ReactNode;
  device?: ReactNode;
}

/** Where the parts of the overlay stand: picture beside inspector where there is room, else below each other. */
export function OverlayLayout({ status, bar, notices, picture, sign, inspector, device }: Props) {
  return (
    <section className={classes.overlay} aria-label="Job at a glance">
      <Card withBorder padding="md" className={classes.head}>
        {status}
        {bar}
      </Card>
      {notices}
      <div className={picture === undefined ? classes.single : classes.columns}>
        {picture === undefined ? null : (
          <div className={classes.picture}>
            <div className={classes.caption}>
              <Text size="sm" fw={600}>
                {texts.preview.title}
              </Text>
              {sign}
            </div>
            {picture}
          </div>
        )}
        <div className={classes.side}>
          {inspector}
          {device}
        </div>
      </div>
    </section>
  );
}
