/** Takes a recipe's stages one after the other, each from the base that the one before left; cut anywhere, it goes on from there. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type PretrainingEvent,
  type PretrainingRequest,
  pretrain,
} from "../../../shared/engine/pretraining/pretrain.ts";
import type { Place } from "./english.ts";

export type StageRequest = Pick<
  PretrainingRequest,
  "textFiles" | "contrastive" | "hyperparameters" | "settings" | "seed"
>;

export interface RecipeStage {
  /** Of its folder. */
  readonly name: string;
  /** Leaves a new base, and gives its directory; undefined where the signal ended it first. */
  readonly run: (base: string, folder: string, run: RecipeRun) => Promise<string | undefined>;
}

export interface Recipe {
  readonly id: string;
  /** Writes a base that has learned nothing yet. */
  readonly start: (directory: string, place: Place) => Promise<void>;
  readonly stages: readonly RecipeStage[];
}

export interface RecipeRun {
  /** Folder of this recipe's work. */
  readonly work: string;
  readonly place: Place;
  readonly threads: number;
}

/** The directory of the last stage's base, made by what of the stages is not yet done; undefined where the signal ended the run first, which goes on at the next call. */
export async function runRecipe(recipe: Recipe, run: RecipeRun): Promise<string | undefined> {
  const { signal } = run.place;
  try {
    return await baseOf(recipe, run);
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

async function baseOf({ id, start, stages }: Recipe, run: RecipeRun): Promise<string | undefined> {
  const { work, place } = run;
  let base = join(work, "start");
  if (!existsSync(base)) await start(base, place);
  for (const stage of stages) {
    const folder = join(work, stage.name);
    const done = join(folder, "done");
    if (!existsSync(done)) {
      place.tell(`${id}: ${stage.name}`);
      await mkdir(folder, { recursive: true });
      const left = await stage.run(base, folder, run);
      if (left === undefined) return undefined;
      await rename(left, done);
      await removeCheckpoints(folder);
    }
    base = done;
  }
  return base;
}

/** A stage that pre-trains the whole base, from its last checkpoint where there is one. */
export function pretrainingStage(
  name: string,
  requestOf: (folder: string, place: Place) => Promise<StageRequest>,
): RecipeStage {
  return {
    name,
    async run(base, folder, { threads, place }) {
      const request: PretrainingRequest = {
        ...(await requestOf(folder, place)),
        base: { directory: base, digest: await digestOf(join(base, "model.safetensors")) },
        directory: folder,
        threads,
        checkpoint: (await checkpointsIn(folder)).at(-1) ?? null,
        checkpointSteps: 0,
        checkpointSeconds: 300,
      };
      const told = teller(place.tell);
      for await (const event of pretrain(request, place.signal)) {
        told(event);
        if (event.type === "checkpoint") await removeCheckpoints(folder, event.path);
        if (event.type === "finished") {
          await writeFile(join(folder, "history.json"), JSON.stringify(event.history));
          return event.path;
        }
        await new Promise(setImmediate);
      }
      return undefined;
    },
  };
}

/** Oldest first. */
export async function checkpointsIn(folder: string): Promise<string[]> {
  const stepOf = (name: string) => Number(/^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1] ?? Number.NaN);
  const names = (await readdir(folder)).filter((name) => !Number.isNaN(stepOf(name)));
  return names.sort((a, b) => stepOf(a) - stepOf(b)).map((name) => join(folder, name));
}

/** All, or all but one. */
export async function removeCheckpoints(folder: string, kept?: string): Promise<void> {
  for (const path of await checkpointsIn(folder)) if (path !== kept) await rm(path);
}

async function digestOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** One line for the beginning, then one now and then. */
function teller(tell: (line: string) => void): (event: PretrainingEvent) => void {
  let [loss, accuracy, steps, since, total] = [0, 0, 0, Date.now(), 0];
  return (event) => {
    if (event.type === "started") {
      total = event.totalSteps;
      tell(`  from step ${event.step} of ${total}; ${JSON.stringify(event.corpus)}`);
    }
    if (event.type !== "step") return;
    const { record, tokens } = event;
    [loss, accuracy, steps] = [loss + record.train_loss, accuracy + record.train_accuracy, steps + 1];
    const held =
      record.valid_loss === undefined
        ? ""
        : `, held out: loss ${record.valid_loss.toFixed(3)}, ${(100 * record.valid_accuracy!).toFixed(1)} % right`;
    if (steps < 50 && !held) return;
    const pace = ((Date.now() - since) / steps).toFixed(0);
    const right = ((100 * accuracy) / steps).toFixed(1);
    tell(
      `  step ${record.step} of ${total}: loss ${(loss / steps).toFixed(3)}, ${right} % right${held}; ${(tokens / 1e6).toFixed(2)} M tokens, ${pace} ms a step`,
    );
    [loss, accuracy, steps, since] = [0, 0, 0, Date.now()];
  };
}
