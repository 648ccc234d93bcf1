/** Reading a JSON Schema as far as an options form needs it: local references, "or null", and closed sets of values. */

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** A JSON Schema, or a part of one. */
export type Schema = Record<string, Json>;

/** One value of a closed set. */
export interface Choice {
  label: string;
  value: Json;
}

const MOST_REFERENCES = 8;

/** Whether a value is an object, hence perhaps a schema. */
export function isObject(value: Json | undefined): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Follow references and take "or null" apart. What stays a mixture of types has no `type`, so it gets a JSON field. */
export function valueSchemaOf(schema: Schema, root: Schema): { schema: Schema; nullable: boolean } {
  const resolved = followed(schema, root);
  const branches = branchesOf(resolved);
  if (branches !== null) {
    const others = branches.filter((branch) => !isNull(branch));
    const nullable = others.length < branches.length;
    const [only] = others;
    if (only !== undefined && others.length === 1) {
      const inner = valueSchemaOf(only, root);
      return { schema: inner.schema, nullable: nullable || inner.nullable };
    }
    if (choicesOf(resolved) === null) return { schema: {}, nullable: false };
    return { schema: resolved, nullable };
  }
  if (Array.isArray(resolved.type)) {
    const others = resolved.type.filter((type) => type !== "null");
    const nullable = others.length < resolved.type.length;
    if (others.length !== 1) return { schema: {}, nullable: false };
    return { schema: { ...resolved, type: others[0] ?? null }, nullable };
  }
  return { schema: resolved, nullable: false };
}

/** Return the values of an `enum`, a `const`, or alternatives that are all constants; null for anything else. */
export function choicesOf(schema: Schema): Choice[] | null {
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => value !== null).map(choiceOf);
  if (schema.const !== undefined) return [choiceOf(schema.const)];
  const branches = branchesOf(schema)?.filter((branch) => !isNull(branch));
  if (branches === undefined || branches.length === 0) return null;
  const choices: Choice[] = [];
  for (const branch of branches) {
    if (branch.const === undefined) return null;
    choices.push({ ...choiceOf(branch.const), ...(typeof branch.title === "string" ? { label: branch.title } : {}) });
  }
  return choices;
}

function followed(schema: Schema, root: Schema): Schema {
  let current = schema;
  for (let step = 0; step < MOST_REFERENCES; step += 1) {
    const [only] = Array.isArray(current.allOf) && current.allOf.length === 1 ? current.allOf : [];
    const reference: Json | undefined = isObject(only) ? only.$ref : undefined;
    const address = typeof current.$ref === "string" ? current.$ref : reference;
    if (typeof address !== "string") return current;
    const target = pointedAt(root, address);
    if (target === null) return {};
    const besides = Object.entries(current).filter(([keyword]) => keyword !== "$ref" && keyword !== "allOf");
    current = { ...target, ...Object.fromEntries(besides) };
  }
  return {};
}

function pointedAt(root: Schema, address: string): Schema | null {
  if (!address.startsWith("#/")) return null;
  let at: Json | undefined = root;
  for (const part of address.slice(2).split("/")) {
    if (!isObject(at)) return null;
    at = at[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return isObject(at) ? at : null;
}

function branchesOf(schema: Schema): Schema[] | null {
  const branches = schema.anyOf ?? schema.oneOf;
  return Array.isArray(branches) ? branches.filter(isObject) : null;
}

function isNull(schema: Schema): boolean {
  return schema.type === "null" || (schema.const === null && "const" in schema);
}

function choiceOf(value: Json): Choice {
  return { label: typeof value === "string" ? value : JSON.stringify(value), value };
}
