import { durationText, momentText } from "@/lib/format";

import type { PluginHealth, Seen } from "../../api/seen";
import { texts } from "../../texts";

/** Since when a plugin is as it is: by its runners' own clock when it is ready, else by what this page saw. */
export function sinceText(plugin: PluginHealth, seen: Seen): string {
  const isUsable = plugin.state === "INITIALIZED" || plugin.state === "RUNNING";
  if (isUsable && plugin.uptime_seconds != null) return texts.plugins.readyFor(durationText(plugin.uptime_seconds));
  const moment = momentText(new Date(seen.sinceMs).toISOString());
  return seen.isObserved ? texts.plugins.since(moment) : texts.plugins.sinceBefore(moment);
}
