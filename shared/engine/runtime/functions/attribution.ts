/** Why models give their labels: models that compute gradients, built when they are first asked and few of them kept. */
import type { Attributor } from "../../attribution/attributor.ts";
import { attributors } from "../../attribution/attributors.ts";
import { readArtifact } from "../../training/artifact.ts";
import type { ArgumentOf, Implementations } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { inTurn } from "./inTurn.ts";

/** Each holds all weights of its base. */
const mostKept = 2;

interface Kept {
  attributor: Promise<Attributor>;
  users: number;
  /** Set when nobody can ask it any more. */
  isForgotten: boolean;
}

/** By model file, in order of last use. */
const kept = new Map<string, Kept>();

export const attribution: Implementations<"attribute"> = {
  async attribute(argument, { signal }) {
    const used = keep(argument);
    used.users++;
    try {
      // Others go in between: one explanation takes dozens of passes.
      const turn = <Result>(work: () => Promise<Result>) => {
        signal.throwIfAborted();
        return inTurn(work);
      };
      return await (await used.attributor).attribute(argument.text, argument.labels, turn);
    } finally {
      used.users--;
      releaseUnused(used);
    }
  },
};

/** Frees what was built for the file, once it is not in use. */
export function forgetAttribution(artifact: string): void {
  const found = kept.get(artifact);
  if (!found) return;
  kept.delete(artifact);
  found.isForgotten = true;
  releaseUnused(found);
}

function releaseUnused({ isForgotten, users, attributor }: Kept): void {
  if (isForgotten && users === 0) attributor.then((built) => built.release()).catch(() => {});
}

function keep(argument: ArgumentOf<"attribute">): Kept {
  const { artifact } = argument;
  const used = kept.get(artifact) ?? begin(argument);
  kept.delete(artifact);
  kept.set(artifact, used);
  if (kept.size > mostKept) forgetAttribution(kept.keys().next().value!);
  return used;
}

function begin(argument: ArgumentOf<"attribute">): Kept {
  const begun: Kept = { attributor: inTurn(() => build(argument)), users: 0, isForgotten: false };
  begun.attributor.catch(() => {
    if (kept.get(argument.artifact) === begun) kept.delete(argument.artifact);
  });
  return begun;
}

function build({ artifact, digest, base }: ArgumentOf<"attribute">): Promise<Attributor> {
  const { config, weights } = readArtifact(artifact, digest);
  if (config.base?.digest !== base?.digest) throw new Error(`${artifact} belongs to base ${config.base?.digest}`);
  const options = { config, weights, threads: deviceThreads(), base: base?.directory ?? null };
  return attributors[config.architecture](options);
}
