/** `npm run models -- recipe`: makes a shipped base anew, from nothing to `shared/models`. */
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Refusal } from "../refusal.ts";
import { sharedFolder } from "./corpora.ts";
import { recipes } from "./recipes.ts";
import { runRecipe } from "./run.ts";
import { ship } from "./ship.ts";

export interface RecipeCall {
  readonly subject: string;
  readonly options: { readonly minutes?: string | undefined };
  readonly environment: NodeJS.ProcessEnv;
  /** Directory of the local state, where the work is kept. */
  readonly home: string;
  readonly print: (line: string) => void;
}

/** Ends with a checkpoint where `minutes` are over or the process is told to stop; the same command goes on. */
export async function runRecipeCommand({ subject: id, options, environment, home, print }: RecipeCall): Promise<void> {
  const recipe = Object.hasOwn(recipes, id) ? recipes[id] : undefined;
  if (!recipe) throw new Refusal(`There is no recipe "${id}"; there are: ${Object.keys(recipes).join(", ")}.`);
  const minutes = Number(options.minutes ?? Number.POSITIVE_INFINITY);
  if (!(minutes > 0)) throw new Refusal(`--minutes must be a number above 0, not "${options.minutes}".`);
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = Number.isFinite(minutes) ? setTimeout(stop, minutes * 60_000) : undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  try {
    const work = join(home, "pretraining", id);
    await mkdir(work, { recursive: true });
    const place = {
      packages: join(home, "packages"),
      shared: sharedFolder(environment),
      tell: print,
      signal: abort.signal,
    };
    const run = { work, place, threads: availableParallelism() };
    const base = await runRecipe(recipe, run);
    if (base) print(`${id}: written to ${await ship(id, base)}`);
    else print(`${id}: stopped; the same command goes on from here`);
  } finally {
    clearTimeout(timer);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
  }
}

/** What the operator's tool does without a deployment. */
export const aloneCommands = {
  recipe: { usage: "<millrace-embed-en | millrace-embed-zh | millrace-tiny-lm> [--minutes n]", run: runRecipeCommand },
};
