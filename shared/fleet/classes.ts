/** Which workers a training is for: those with a GPU, or those that do as well without. */
import { type Architecture, architectureOf } from "../baseModels.ts";
import type { JobRecord, Method } from "../schemas/fineTuningJob.ts";

export type WorkerClass = "gpu" | "cpu";

/** What decides it. */
export type Training = Pick<JobRecord, "model" | "method">;

/** By what learns; `README.md` says why. */
export const classes: Record<Architecture, WorkerClass> = {
  ngram: "cpu",
  tabular: "cpu",
  encoder: "gpu",
  auto: "gpu",
  pretrained: "gpu",
};

/** Models that a method runs beside the one that learns. */
const others: { [Type in Method["type"]]: (method: Extract<Method, { type: Type }>) => string[] } = {
  supervised: () => [],
  pretrain: () => [],
  distill: ({ distill: { teacher } }) => [teacher],
};

/** One model that wants a GPU is enough. */
export function classOf({ model, method }: Training): WorkerClass {
  const models = [model, ...others[method.type](method as never)];
  return models.every((id) => classes[architectureOf(id)] === "cpu") ? "cpu" : "gpu";
}
