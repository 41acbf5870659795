/** A stage's steps one after the other, told and kept as they go: cut anywhere, they go on from the last checkpoint. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, type Tensor, writeSafetensors } from "../../../shared/engine/index.ts";
import { openStage, type Stage, type StagePlan } from "../../../shared/engine/pretraining/stage.ts";
import { checkpointsIn, type RecipeRun } from "./run.ts";

type Tensors = Readonly<Record<string, Tensor>>;

const [toldEach, keptEach, judgedEach] = [50, 500, 500];

export interface StepsOptions {
  readonly vocabulary: number;
  readonly seed: number;
  /** Where checkpoints are kept. */
  readonly folder: string;
  readonly run: RecipeRun;
}

/** The weights behind the last step, from the last checkpoint where there is one; undefined where the signal ended it first. */
export async function learnSteps(plan: StagePlan, start: Tensors, options: StepsOptions): Promise<Tensors | undefined> {
  const { vocabulary, seed, folder } = options;
  const { threads, signal, place } = options.run;
  const kept = (await checkpointsIn(folder)).at(-1);
  const { weights, optimizer, step: from } = kept ? await readState(kept) : { weights: start, optimizer: {}, step: 0 };
  const stage = await openStage(plan, { ...start, ...weights }, optimizer, { vocabulary, seed, threads });
  const told = teller(place.tell, plan.steps);
  try {
    if (from === 0)
      place.tell(`  before: ${percent((await stage.judge())!.accuracy)} of held-out texts' variance is said`);
    for (let step = from; step < plan.steps; step++) {
      if (signal.aborted) {
        await writeState(folder, stage, step);
        return undefined;
      }
      told(step, (await stage.step(step)).loss);
      if ((step + 1) % judgedEach === 0 || step + 1 === plan.steps) {
        place.tell(`  held out: ${percent((await stage.judge())!.accuracy)} of the variance is said`);
      }
      if ((step + 1) % keptEach === 0) await writeState(folder, stage, step + 1);
      await new Promise(setImmediate);
    }
    return stage.state().weights;
  } finally {
    await stage.release();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const ofOptimizer = "optimizer.";

async function writeState(folder: string, stage: Stage, step: number): Promise<void> {
  const { weights, optimizer } = stage.state();
  const renamed = Object.entries(optimizer).map(([name, tensor]) => [ofOptimizer + name, tensor] as const);
  const path = join(folder, `checkpoint-${step}.safetensors`);
  await writeFile(`${path}.part`, writeSafetensors({ ...weights, ...Object.fromEntries(renamed) }, {}));
  await rename(`${path}.part`, path);
  for (const old of await checkpointsIn(folder)) if (old !== path) await rm(old);
}

async function readState(path: string) {
  const { tensors } = readSafetensors(await readFile(path));
  const [optimizer, weights] = [new Map<string, Tensor>(), new Map<string, Tensor>()];
  for (const [name, tensor] of tensors) {
    if (name.startsWith(ofOptimizer)) optimizer.set(name.slice(ofOptimizer.length), tensor);
    else weights.set(name, tensor);
  }
  const step = Number(/checkpoint-(\d+)/.exec(path)![1]);
  return { weights: Object.fromEntries(weights), optimizer: Object.fromEntries(optimizer), step };
}

/** A line now and then. */
function teller(tell: (line: string) => void, steps: number): (step: number, loss: number) => void {
  let [sum, count, since] = [0, 0, Date.now()];
  return (step, loss) => {
    [sum, count] = [sum + loss, count + 1];
    if (count < toldEach) return;
    const each = ((Date.now() - since) / count).toFixed(0);
    tell(`  step ${step + 1} of ${steps}: ${percent(1 - sum / count)} of the variance is said, ${each} ms a step`);
    [sum, count, since] = [0, 0, Date.now()];
  };
}
