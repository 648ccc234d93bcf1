/** Brings a refusal of options (422 OPTIONS_INVALID) back to the field that it is about. */

import type { Problem } from "@/lib/problem";

import { type Field, keyOf } from "./fields";

/** A sentence about one option of one tool; `key` is null where no field of the form is meant. */
export interface Refusal {
  tool: string;
  key: string | null;
  sentence: string;
}

/** Read "options.<tool>.<path>: sentence", the form that the server's details have.
 *
 * Returns null for other problems and for details that name no tool of the job.
 */
export function refusalOf(problem: Problem, fieldsByTool: Readonly<Record<string, readonly Field[]>>): Refusal | null {
  if (problem.code !== "OPTIONS_INVALID" || !problem.detail.startsWith("options.")) return null;
  const address = problem.detail.slice("options.".length);
  const tool = Object.keys(fieldsByTool).find((name) => startsAt(address, name));
  if (tool === undefined) return null;
  const rest = address.slice(tool.length).replace(/^\./, "");
  const field = deepest(fieldsByTool[tool] ?? [], rest);
  if (field === null) return { tool, key: null, sentence: problem.detail };
  return { tool, key: keyOf(field.path), sentence: sentenceOf(rest, field.path.join(".")) };
}

/** The field that an address leads to or through: an entry of a list belongs to the list, a name in JSON to the JSON. */
function deepest(fields: readonly Field[], address: string): Field | null {
  const fitting = fields.filter((field) => startsAt(address, field.path.join(".")));
  const field = fitting.sort((one, other) => other.path.join(".").length - one.path.join(".").length)[0];
  if (field === undefined) return null;
  return (field.control.kind === "group" ? deepest(field.control.fields, address) : null) ?? field;
}

function startsAt(address: string, name: string): boolean {
  return address.startsWith(name) && [".", ":"].includes(address.charAt(name.length));
}

/** What is left of "path.deeper: sentence" when the field itself stands beside it. */
function sentenceOf(address: string, path: string): string {
  const beyond = address.slice(path.length);
  if (beyond.startsWith(":")) return capital(beyond.slice(1).trim());
  return beyond.slice(1);
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
