/** Texts with variables: `{{item.question}}`, `{{ sample.output_json.tags[0] }}`. Nothing in them is run. */
import { RuleError } from "./ruleError.ts";

/** What `item` and `sample` stand for. */
export type Variables = Readonly<Record<"item" | "sample", unknown>>;

const variable = /\{\{([^{}]*)\}\}/g;
const pathPattern = /^(item|sample)((?:\.[\p{L}\p{N}_-]+|\[\d+\])*)$/u;

/** Throws RuleError telling what is no variable. */
export function checkTemplate(template: string): void {
  for (const [, path] of template.matchAll(variable)) partsOf(path!);
}

/** Throws RuleError where a variable names what is not there. */
export function fill(template: string, variables: Variables): string {
  return template.replaceAll(variable, (_, path: string) => {
    const value = lookUp(path, variables);
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

/** What is at a path such as `item.turns[0]`. Throws RuleError where nothing is. */
export function lookUp(path: string, variables: Variables): unknown {
  let value: unknown = variables;
  for (const part of partsOf(path)) {
    const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, part);
    value = isThere ? (value as Record<string, unknown>)[part] : undefined;
    if (value === undefined) throw new RuleError("invalid_variable", `There is no '${path.trim()}'.`);
  }
  return value;
}

function partsOf(path: string): string[] {
  const [, namespace, rest] = pathPattern.exec(path.trim()) ?? [];
  if (namespace === undefined) {
    const message = `'{{${path.slice(0, 100)}}}' is no variable: write {{item.name}} or {{sample.output_text}}.`;
    throw new RuleError("invalid_variable", message);
  }
  return [namespace, ...Array.from(rest!.matchAll(/[^.[\]]+/g), ([part]) => part)];
}
