/** The device's function that writes texts, called as the device process calls it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { GeneratedTokens } from "../../../../shared/engine/generation/generator.ts";
import type { GenerateArgument } from "../../../../shared/engine/runtime/deviceProtocol.ts";
import { generation } from "../../../../shared/engine/runtime/functions/generation.ts";
import { inTurn } from "../../../../shared/engine/runtime/functions/inTurn.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";

const { path: directory, skip } = sharedFile("models/stories260K");
const base = { directory, digest: "stories" };
const asked: GenerateArgument = {
  base,
  prompt: [1, 403],
  maxTokens: 400,
  settings: { temperature: 0 },
  precision: "float32" as const,
  json: null,
};

/** What one call tells; with `stopAfter` it is cancelled after so many pieces. */
async function run(argument: Partial<GenerateArgument> = {}, stopAfter = Number.POSITIVE_INFINITY) {
  const controller = new AbortController();
  const pieces: GeneratedTokens[] = [];
  const tell = (piece: GeneratedTokens) => {
    pieces.push(piece);
    if (pieces.length === stopAfter) controller.abort();
  };
  await generation.generate({ ...asked, ...argument }, { signal: controller.signal, tell });
  return pieces.flatMap(({ tokens }) => tokens.map(({ id }) => id));
}

it("frees a cancelled text's row at once, so that those that wait get it", { skip }, async () => {
  const whole = await run();
  assert.equal(whole.length, 400);
  // More than fit at once: the last ones are written only because the cancelled ones let them in.
  const cancelled = Array.from({ length: 40 }, () => run({}, 2));
  const last = await run({ maxTokens: 20 });
  assert.deepEqual(last, whole.slice(0, 20));
  for (const tokens of await Promise.all(cancelled)) {
    assert.ok(tokens.length < 60, `${tokens.length} tokens were written after the call was given up`);
    assert.deepEqual(tokens, whole.slice(0, tokens.length));
  }
});

it("takes turns with other work on the device, which is not kept waiting for a whole text", { skip }, async () => {
  let done = false;
  const writing = run({ maxTokens: 300 }).then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  let turns = 0;
  while (turns < 5) {
    await inTurn(async () => turns++);
    assert.equal(done, false, `the text was written before turn ${turns}`);
  }
  await writing;
});

it("holds texts of one base to JSON and others to nothing, side by side", { skip }, async () => {
  const json = { type: "object" } as const;
  const [free, held] = await Promise.all([run({ maxTokens: 30 }), run({ json, maxTokens: 30 })]);
  assert.deepEqual(free, (await run()).slice(0, 30));
  assert.notEqual(held[0], free[0]);
});

it("fails for a base that cannot be read, and for that call alone", { skip }, async () => {
  await assert.rejects(run({ base: { directory: "/nowhere", digest: "nothing" } }), /config.json is missing/);
  assert.equal((await run({ maxTokens: 5 })).length, 5);
});
