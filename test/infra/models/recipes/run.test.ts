/** A recipe's stages: one behind the other, and told to stop anywhere, they go on from there. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Recipe, type RecipeStage, runRecipe } from "../../../../infra/models/recipes/run.ts";

describe("a recipe", () => {
  let work: string;
  before(async () => {
    work = await mkdtemp(join(tmpdir(), "millrace-recipe-"));
  });
  after(() => rm(work, { recursive: true, force: true }));

  const done: string[] = [];
  const stage = (name: string, prepare: (signal: AbortSignal) => void): RecipeStage => ({
    name,
    async run(base, folder, { place }) {
      prepare(place.signal);
      done.push(`${name} from ${base.split("/").at(-1)}`);
      await mkdir(join(folder, "left"));
      await writeFile(join(folder, "left", "config.json"), "{}");
      return join(folder, "left");
    },
  });
  const recipeOf = (prepare: (signal: AbortSignal) => void): Recipe => ({
    id: "some",
    start: async (directory) => void (await mkdir(directory)),
    stages: [stage("1-first", () => {}), stage("2-second", prepare)],
  });
  const runIn = (abort: AbortController) => ({
    work,
    threads: 1,
    place: { packages: "", shared: "", tell: () => {}, signal: abort.signal },
  });

  it("that is stopped while a stage prepares goes on with that stage", async () => {
    const abort = new AbortController();
    const stopped = recipeOf((signal) => {
      abort.abort();
      signal.throwIfAborted();
    });
    assert.equal(await runRecipe(stopped, runIn(abort)), undefined);
    assert.deepEqual(done, ["1-first from start"]);
    assert.equal(
      await runRecipe(
        recipeOf(() => {}),
        runIn(new AbortController()),
      ),
      join(work, "2-second", "done"),
    );
    assert.deepEqual(done, ["1-first from start", "2-second from done"]);
  });

  it("fails where a stage fails, stopped or not", async () => {
    await rm(join(work, "2-second"), { recursive: true });
    const abort = new AbortController();
    const failing = recipeOf(() => {
      abort.abort();
      throw new Error("no room left");
    });
    await assert.rejects(runRecipe(failing, runIn(abort)), /no room left/);
  });
});
