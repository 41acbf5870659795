/** A stage's steps one after the other, told and kept as they go: cut anywhere, they go on from the last checkpoint. */
import type { Tensor } from "../../../shared/engine/index.ts";
import { openStage, type Stage, type StagePlan } from "../../../shared/engine/pretraining/stage.ts";
import { type CheckpointHead, readCheckpoint, saveCheckpoint } from "../../../shared/engine/training/checkpoint.ts";
import { checkpointsIn, type RecipeRun, removeCheckpoints } from "./run.ts";

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
  const { threads, place } = options.run;
  const kept = (await checkpointsIn(folder)).at(-1);
  const { head, state } = kept ? readCheckpoint(kept, runOf(plan, seed)) : { head: { step: 0 }, state: start };
  const isWeight = ([name]: readonly [string, Tensor]) => Object.hasOwn(start, name);
  const [weights, optimizer] = [true, false].map((wanted) =>
    Object.fromEntries(Object.entries(state).filter((entry) => isWeight(entry) === wanted)),
  );
  const stage = await openStage(plan, weights!, optimizer!, { vocabulary, seed, threads });
  const told = teller(place.tell, plan.steps);
  const keep = (step: number) => keepState(folder, { run: runOf(plan, seed), step, tokens: 0, history: [] }, stage);
  try {
    if (head.step === 0)
      place.tell(`  before: ${percent((await stage.judge())!.accuracy)} of held-out texts' variance is said`);
    for (let step = head.step; step < plan.steps; step++) {
      if (place.signal.aborted) {
        await keep(step);
        return undefined;
      }
      told(step, (await stage.step(step)).loss);
      if ((step + 1) % judgedEach === 0 || step + 1 === plan.steps) {
        place.tell(`  held out: ${percent((await stage.judge())!.accuracy)} of the variance is said`);
      }
      if ((step + 1) % keptEach === 0) await keep(step + 1);
      await new Promise(setImmediate);
    }
    return stage.state().weights;
  } finally {
    await stage.release();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function runOf({ steps, peakLearningRate, tableRate }: StagePlan, seed: number): string {
  return JSON.stringify({ steps, peakLearningRate, tableRate, seed });
}

async function keepState(directory: string, head: CheckpointHead, stage: Stage): Promise<void> {
  const { weights, optimizer } = stage.state();
  const path = saveCheckpoint({ directory }, head, { ...weights, ...optimizer });
  await removeCheckpoints(directory, path);
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
