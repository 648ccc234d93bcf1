import { useState } from "react";

import type { Analysis } from "../api/sendMedia";
import type { Tool } from "../api/plugins";
import type { ToolForm } from "../components/OptionsForm";
import { titleOf } from "../media/fit";
import { type Draft, type Drafts, type FieldErrors, readDrafts } from "../options/drafts";
import { fieldsOf } from "../options/fields";
import type { Refusal } from "../options/refusal";
import type { Json, Schema } from "../options/schema";

const UNTOUCHED: Drafts = {};

/** What is to be done with the files: tools, options, device. Everything is kept per plugin, so that looking at another loses nothing. */
export function useAnalysis(plugin: string | null, tools: readonly Tool[]) {
  const [chosenByPlugin, setChosenByPlugin] = useState<Readonly<Record<string, readonly string[]>>>({});
  const [draftsByTool, setDraftsByTool] = useState<Readonly<Record<string, Drafts>>>({});
  const [device, setDevice] = useState<Analysis["device"]>("auto");
  const [refused, setRefused] = useState<{ plugin: string; refusal: Refusal } | null>(null);
  const [wasTried, setWasTried] = useState(false);

  const address = (tool: string) => `${plugin ?? ""}/${tool}`;
  const refusal = refused?.plugin === plugin ? refused.refusal : null;
  const names = (plugin === null ? undefined : chosenByPlugin[plugin]) ?? tools.slice(0, 1).map((tool) => tool.name);
  const chosen = tools.filter((tool) => names.includes(tool.name));
  const read = chosen.map((tool) => {
    const fields = fieldsOf(tool.options_schema as Schema | undefined);
    const drafts = draftsByTool[address(tool.name)] ?? UNTOUCHED;
    return { tool, fields, drafts, ...readDrafts(fields, drafts) };
  });
  const forms = read.map(({ tool, fields, drafts, errors }): ToolForm => {
    const said = refusal?.tool === tool.name ? refusal : null;
    const own = Object.entries(errors).filter(([key]) => wasTried || drafts[key] !== undefined);
    const atField = said === null || said.key === null ? {} : { [said.key]: said.sentence };
    const errorsShown = { ...atField, ...Object.fromEntries(own) };
    const saidOfAll = said !== null && said.key === null ? said.sentence : null;
    return { tool: tool.name, title: titleOf(tool), fields, drafts, errors: errorsShown, said: saidOfAll };
  });

  const keep = (tool: string, drafts: Drafts) => {
    setDraftsByTool((all) => ({ ...all, [address(tool)]: drafts }));
    if (refusal?.tool === tool) setRefused(null);
  };
  return {
    chosen,
    forms,
    device,
    setDevice,
    /** Show what the server said of an option of this plugin; null forgets it. */
    refuse: (said: Refusal | null) => setRefused(said === null || plugin === null ? null : { plugin, refusal: said }),
    /** The first option that cannot be sent as it is. */
    wrong: firstWrong(read),
    /** Whether a field is marked as wrong. */
    isWrong: forms.some(({ errors, said }) => said !== null || Object.keys(errors).length > 0),
    options: optionsText(read.map(({ tool, options }) => [tool.name, options])),
    tried: () => setWasTried(true),
    chooseTools: (next: readonly string[]) => {
      if (plugin !== null) setChosenByPlugin((all) => ({ ...all, [plugin]: next }));
    },
    draft: (tool: string, key: string, draft: Draft | undefined) => {
      const rest = Object.entries(draftsByTool[address(tool)] ?? UNTOUCHED).filter(([other]) => other !== key);
      keep(tool, Object.fromEntries(draft === undefined ? rest : [...rest, [key, draft]]));
    },
    reset: (tool: string) => keep(tool, UNTOUCHED),
  };
}

function firstWrong(read: readonly { tool: Tool; errors: FieldErrors }[]): { tool: string; key: string } | null {
  for (const { tool, errors } of read) {
    const [key] = Object.keys(errors);
    if (key !== undefined) return { tool: tool.name, key };
  }
  return null;
}

/** Write the options as the submit routes take them: one tool's own, or those of several by name. */
function optionsText(byTool: readonly (readonly [string, Record<string, Json>])[]): string {
  const [first, ...others] = byTool;
  if (first !== undefined && others.length === 0)
    return Object.keys(first[1]).length === 0 ? "" : JSON.stringify(first[1]);
  const given = byTool.filter(([, options]) => Object.keys(options).length > 0);
  return given.length === 0 ? "" : JSON.stringify(Object.fromEntries(given));
}
