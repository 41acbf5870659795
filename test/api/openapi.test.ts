/** The published contract is the one that is enforced, and leaves no field without a word. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { renderOpenApi } from "../../api/openapi.ts";

interface Node {
  $ref?: string;
  description?: string;
  properties?: Record<string, Node>;
  [key: string]: unknown;
}

const document = JSON.parse(renderOpenApi()) as { components: { schemas: Record<string, Node> }; paths: Node };

test("api/openapi.json is what the routes say; `npm run openapi` renews it", async () => {
  const committed = await readFile(new URL("../../api/openapi.json", import.meta.url), "utf8");
  assert.equal(committed === renderOpenApi(), true, "stale: run `npm run openapi` and review the difference");
});

/** A reference is described where it leads. */
function described(node: Node): boolean {
  if (node.description) return true;
  const target = node.$ref && document.components.schemas[node.$ref.split("/").at(-1)!];
  return target !== undefined && target !== "" && described(target);
}

function* undescribed(node: unknown, path: string): Generator<string> {
  if (typeof node !== "object" || node === null) return;
  const { properties } = node as Node;
  if (properties && typeof properties === "object") {
    for (const [name, property] of Object.entries(properties)) {
      if (!described(property)) yield `${path}.${name}`;
    }
  }
  for (const [key, child] of Object.entries(node)) yield* undescribed(child, `${path}/${key}`);
}

test("every field of every public schema has a description", () => {
  assert.deepEqual([...undescribed(document.components.schemas, "")], []);
  assert.deepEqual([...undescribed(document.paths, "")], []);
});

test("every parameter has a description, and every operation a summary", () => {
  type Operation = { summary?: string; parameters?: { name: string; description?: string; schema: Node }[] };
  for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, Operation>>)) {
    for (const [method, { summary, parameters = [] }] of Object.entries(methods)) {
      assert.ok(summary, `${method} ${path}`);
      for (const each of parameters) assert.ok(each.description ?? each.schema.description, `${path} ${each.name}`);
    }
  }
});
