import { Code, Spoiler } from "@mantine/core";

/** The last lines that a plugin wrote. */
export function LogTail({ title, text }: { title: string; text: string }) {
  return (
    <Spoiler maxHeight={84} showLabel="Show all" hideLabel="Show less" mt={4}>
      <Code block fz="xs" aria-label={title} tabIndex={0}>
        {text}
      </Code>
    </Spoiler>
  );
}
