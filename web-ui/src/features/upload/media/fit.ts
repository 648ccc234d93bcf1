/** Whether chosen tools take a chosen file. */

import type { Tool } from "../api/plugins";
import { texts } from "../texts";
import type { MediaKind } from "./checks";

/** Return why a file of this kind cannot go to these tools; null when it can. */
export function unfitReason(kind: MediaKind, tools: readonly Tool[]): string | null {
  const names = tools.filter((tool) => !tool.inputs.includes(kind)).map(titleOf);
  return names.length === 0 ? null : texts.checks.unfit(names.join(" and "), kind);
}

/** Return the name of a tool that people read. */
export function titleOf(tool: Tool): string {
  return tool.title === "" ? tool.name : tool.title;
}

/** Return the kinds of media that at least one of the tools takes. */
export function kindsOf(tools: readonly Tool[]): MediaKind[] {
  const kinds: MediaKind[] = ["video", "image"];
  return kinds.filter((kind) => tools.some((tool) => tool.inputs.includes(kind)));
}

/** Name kinds of media in words. */
export function kindsText(kinds: readonly MediaKind[]): string {
  return kinds.length === 2 ? texts.plugins.both : kinds[0] === "image" ? texts.plugins.image : texts.plugins.video;
}
