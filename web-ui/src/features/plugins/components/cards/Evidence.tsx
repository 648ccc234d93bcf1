import { Text } from "@mantine/core";

import { countText, momentText } from "@/lib/format";

import type { PluginHealth } from "../../api/plugins";
import { texts } from "../../texts";
import classes from "./cards.module.css";

/** What its jobs say about a plugin. */
export function Evidence({ plugin }: { plugin: PluginHealth }) {
  const facts = [
    { name: texts.plugins.completed, value: countText(plugin.success_count) },
    { name: texts.plugins.failed, value: countText(plugin.error_count) },
    {
      name: texts.plugins.lastUsed,
      value: plugin.last_used == null ? texts.plugins.never : momentText(plugin.last_used),
    },
  ];
  return (
    <dl className={classes.evidence}>
      {facts.map(({ name, value }) => (
        <div key={name}>
          <Text component="dt" size="xs" c="dimmed">
            {name}
          </Text>
          <Text component="dd" size="sm" fw={500} className={classes.figure}>
            {value}
          </Text>
        </div>
      ))}
    </dl>
  );
}
