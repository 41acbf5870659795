/** The stages of a pre-training, one after the other, as numbered steps of one run. */
import type { Tensor } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import { initialize } from "../layers/initialize.ts";
import type { LanguageModel } from "../models/languageModel.ts";
import { isHeadWeight, type Pretrained } from "../models/pretrained.ts";
import type { Tensors } from "../training/fitGraph.ts";
import type { ResolvedHyperparameters, StepResult } from "../training/learner.ts";
import { fitWeights } from "../weights/fit.ts";
import { tensorsOf } from "../weights/tensors.ts";
import type { Material } from "./material.ts";
import type { Objective, SpecialTokens, StageName } from "./objective.ts";
import { pairObjective } from "./pairObjective.ts";
import type { PretrainingSettings } from "./pretrain.ts";
import { type HeldResult, openStage, type Stage, type StagePlan } from "./stage.ts";
import type { TokenObjective } from "./tokenLoss.ts";
import { tokenObjective } from "./tokenObjective.ts";

export type CoursePlan = readonly StagePlan[];

export interface CourseOptions {
  readonly model: LanguageModel;
  readonly special: SpecialTokens;
  readonly material: Material;
  readonly settings: PretrainingSettings;
  readonly hyperparameters: ResolvedHyperparameters;
  readonly seed: number;
  readonly objective: TokenObjective;
}

/** Throws RangeError where the stages have no step. */
export function planCourse(options: CourseOptions, { contrastive }: { readonly contrastive: boolean }): CoursePlan {
  const { settings, material, hyperparameters } = options;
  const { batch_size, n_epochs, learning_rate_multiplier } = hyperparameters;
  const tokenBudget = batch_size * settings.longest;
  const reading = { ...options, ...material, longest: settings.longest, tokenBudget };
  const stage = (objective: Objective, rate: number, steps: number): StagePlan => ({
    objective,
    steps: Number.isNaN(steps) ? n_epochs * objective.batches.perEpoch : steps,
    peakLearningRate: rate * learning_rate_multiplier,
    tableRate: settings.tableRate,
  });
  const stages = [
    ...(settings.tokenSteps === 0
      ? []
      : [
          stage(
            tokenObjective({ ...reading, candidates: settings.candidates, dropout: settings.dropout.token }),
            settings.tokenRate,
            settings.tokenSteps,
          ),
        ]),
    ...(contrastive
      ? [
          stage(
            pairObjective({
              ...reading,
              ...settings,
              tokenBudget: pairBudget(settings),
              dropout: settings.dropout.contrastive,
            }),
            settings.contrastiveRate,
            settings.contrastiveSteps,
          ),
        ]
      : []),
  ].filter(({ steps }) => steps > 0);
  if (stages.length === 0) throw new RangeError("there is no step to take: no stage, or no text");
  return stages;
}

/** Both texts of each pair at full length. */
const pairBudget = ({ pairsPerStep, longest }: PretrainingSettings) => 2 * pairsPerStep * longest;

export interface Course {
  readonly totalSteps: number;
  readonly stages: { name: StageName; steps: number }[];
  step(n: number): Promise<StepResult & { readonly stage: StageName }>;
  /** After which steps held-out texts are judged: the first, the last, and some between. */
  isJudged(n: number): boolean;
  /** By the objective of the stage that is on its way; undefined where nothing was held out. */
  judge(): Promise<HeldResult | undefined>;
  /** Everything the next step depends on. */
  state(): Record<string, Tensor>;
  /** What `state` gave after so many steps. */
  restore(state: Tensors, steps: number): void;
  weights(): Tensors;
  release(): Promise<void>;
}

const judgedTimes = 10;

/** Weights that the base lacks, such as a head's, are new. Throws CheckpointError for a body that does not fit. */
export async function createCourse(
  plan: CoursePlan,
  { model, weights: stored }: Pretrained,
  options: { readonly seed: number; readonly threads: number },
): Promise<Course> {
  const begins = plan.map((_, i) => plan.slice(0, i).reduce((sum, { steps }) => sum + steps, 0));
  const totalSteps = plan.reduce((sum, { steps }) => sum + steps, 0);
  const parameters = parametersOf(plan);
  let weights: Tensors = tensorsOf(parameters, firstWeights(parameters, { model, weights: stored }, options.seed));
  let restored: Tensors = {};
  let open: { index: number; stage: Stage } | undefined;

  const stageAt = async (n: number) => {
    const index = begins.findLastIndex((begin) => n >= begin);
    if (open?.index === index) return { index, stage: open.stage };
    await open?.stage.release();
    // A stage's first step begins with an optimizer of its own.
    const optimizer = n > begins[index]! ? restored : {};
    const stage = await openStage(plan[index]!, weights, optimizer, { ...options, vocabulary: model.vocabulary });
    open = { index, stage };
    return open;
  };
  return {
    totalSteps,
    stages: plan.map(({ objective, steps }) => ({ name: objective.name, steps })),
    async step(n) {
      const { index, stage } = await stageAt(n);
      const result = await stage.step(n - begins[index]!);
      weights = stage.state().weights;
      return { ...result, stage: plan[index]!.objective.name };
    },
    isJudged(n) {
      const index = begins.findLastIndex((begin) => n >= begin);
      const [own, { steps }] = [n - begins[index]!, plan[index]!];
      return own === 0 || own === steps - 1 || (own + 1) % Math.max(1, Math.ceil(steps / judgedTimes)) === 0;
    },
    judge: async () => open?.stage.judge(),
    state: () => ({ ...weights, ...open?.stage.state().optimizer }),
    restore(state) {
      weights = Object.fromEntries(Object.keys(weights).map((name) => [name, state[name]!]));
      restored = Object.fromEntries(Object.entries(state).filter(([name]) => !Object.hasOwn(weights, name)));
    },
    weights: () => weights,
    release: async () => open?.stage.release(),
  };
}

/** Of all stages, each once. */
function parametersOf(plan: CoursePlan): Node[] {
  const all = plan.flatMap(({ objective }) => objective.graph().parameters);
  return [...new Map(all.map((node) => [node.name!, node])).values()];
}

function firstWeights(parameters: readonly Node[], { model, weights }: Pretrained, seed: number) {
  const isNew = ({ name }: Node) => isHeadWeight(model, name!) && !weights.has(name!);
  const old = parameters.filter((node) => !isNew(node));
  return { ...fitWeights(weights, old, () => true), ...initialize(parameters.filter(isNew), seed) };
}
