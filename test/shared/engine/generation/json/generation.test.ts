/** A generator held to JSON: a model of random weights, hot, writes what fits, beside texts that are free. */
import assert from "node:assert/strict";
import { before, it } from "node:test";
import { type GeneratedTokens, Generator } from "../../../../../shared/engine/generation/generator.ts";
import { JsonConstraints } from "../../../../../shared/engine/generation/json/constraint.ts";
import { readVocabulary } from "../../../../../shared/engine/generation/tokenBytes.ts";
import { readPretrained } from "../../../../../shared/engine/models/pretrained.ts";
import { normals } from "../../../../../shared/engine/random.ts";
import { sharedFile } from "../../../../support/sharedFiles.ts";
import { fits } from "./fits.ts";

const { path, skip } = sharedFile("models/stories260K");
const endTokens = [1, 2];
const schema = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 8 },
    kind: { enum: ["cat", "dog", "catfish"] },
    age: { type: ["integer", "null"] },
    tags: { type: "array", items: { type: "string", maxLength: 3 }, maxItems: 3 },
    owner: { anyOf: [{ $ref: "#/$defs/owner" }, { type: "null" }] },
  },
  required: ["name", "kind", "age", "tags", "owner"],
  additionalProperties: false,
  $defs: {
    owner: {
      type: "object",
      properties: { rich: { type: "boolean" } },
      required: ["rich"],
      additionalProperties: false,
    },
  },
};

let constraints: JsonConstraints;
let bytes: readonly (Uint8Array | undefined)[];
before(async () => {
  if (skip) return;
  ({ bytes } = await readVocabulary(path, 512));
  constraints = new JsonConstraints(bytes);
});

const idsOf = (pieces: readonly GeneratedTokens[]) => pieces.flatMap(({ tokens }) => tokens.map(({ id }) => id));
const textOf = (ids: readonly number[]) => Buffer.concat(ids.map((id) => bytes[id]!)).toString();

it("writes JSON that fits its schema at any temperature, and stops there", { skip }, async () => {
  const { model, weights } = await readPretrained(path);
  const random = new Map(
    [...weights].map(([name, { shape, data }], seed) => [name, { shape, data: normals(data.length, { seed }) }]),
  );
  for (const [name, weightsOf] of [
    ["trained", weights],
    ["random", random],
  ] as const) {
    const generator = await Generator.start({ model, weights: weightsOf }, { threads: 1 });
    const ask = (seed: number) => {
      const allowed = constraints.start({ type: "schema", schema }, endTokens);
      const request = { prompt: [1, 403 + seed], temperature: 1 + seed / 12, seed, allowed, endTokens, maxTokens: 300 };
      return Array.fromAsync(generator.generate(request));
    };
    const free = generator.generate({ prompt: [1], temperature: 0, maxTokens: 20 });
    const texts = await Promise.all(Array.from({ length: 12 }, (_, seed) => ask(seed)));
    const whole = texts.filter((pieces) => pieces.at(-1)!.finishReason === "stop");
    assert.ok(whole.length >= 6, `${name}: only ${whole.length} came to their end`);
    for (const pieces of whole) {
      const text = textOf(idsOf(pieces));
      assert.ok(fits(JSON.parse(text), schema), `${name}: ${text}`);
    }
    assert.equal(idsOf(await Array.fromAsync(free)).length, 20);
    assert.deepEqual(generator.load, { active: 0, waiting: 0 });
    await generator.close();
  }
});
