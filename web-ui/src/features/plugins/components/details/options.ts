/** What a tool's schema says about one option, in words. */
export interface OptionFacts {
  name: string;
  type: string;
  default: string;
  meaning: string;
}

interface PropertySchema {
  type?: string | string[];
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  description?: string;
  anyOf?: { type?: string }[];
}

/** Read the options out of a tool's JSON schema; what has no plain words is called "object". */
export function optionsOf(schema: Readonly<Record<string, unknown>> | undefined): OptionFacts[] {
  const properties = (schema?.properties ?? {}) as Record<string, PropertySchema>;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: `${kindOf(property)}${rangeOf(property)}`,
    default: property.default === undefined ? "" : JSON.stringify(property.default),
    meaning: property.description ?? "",
  }));
}

function kindOf({ type, enum: values, anyOf }: PropertySchema): string {
  if (values !== undefined) return values.map(String).join(" | ");
  if (type !== undefined) return [type].flat().join(" | ");
  return anyOf?.map((one) => one.type ?? "object").join(" | ") ?? "object";
}

function rangeOf({ minimum, maximum }: PropertySchema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, from ${minimum}`;
  return maximum === undefined ? "" : `, up to ${maximum}`;
}
