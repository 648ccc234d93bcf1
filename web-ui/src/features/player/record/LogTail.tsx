import { Code } from "@mantine/core";

import classes from "./LogTail.module.css";

/** The last lines that a plugin wrote. */
export function LogTail({ title, text }: { title: string; text: string }) {
  return (
    <Code block fz="xs" mt={4} className={classes["log"] ?? ""} aria-label={title} tabIndex={0}>
      {text}
    </Code>
  );
}
