/** Texts written by imported bases: one generator for each base, in which all requests share batches. */
import { textRoom } from "../../generation/causalText.ts";
import { Generator } from "../../generation/generator.ts";
import { JsonConstraints } from "../../generation/json/constraint.ts";
import { readVocabulary } from "../../generation/tokenBytes.ts";
import { readPretrained } from "../../models/pretrained.ts";
import type { Precision } from "../../quantization/precision.ts";
import type { BaseDirectory } from "../../training/train.ts";
import type { Implementations } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { inTurn } from "./inTurn.ts";

interface Resident {
  generator: Generator;
  /** Made when the first text must be JSON. */
  json(): Promise<JsonConstraints>;
}

/** By digest and precision, the least recently used first. */
const residents = new Map<string, { resident: Promise<Resident>; users: number }>();
const mostResidents = 4;

export const generation: Implementations<"generate"> = {
  async generate({ base, precision, prompt, maxTokens, settings, json }, { signal, tell }) {
    const entry = opened(base, precision);
    entry.users++;
    try {
      const { generator, json: constraints } = await entry.resident;
      const allowed = json ? (await constraints()).start(json, settings.endTokens ?? []) : undefined;
      const pieces = generator.generate({ ...settings, allowed, prompt, maxTokens, signal });
      for await (const piece of pieces) tell(piece);
    } catch (error) {
      // Whoever no longer wants a text is told nothing.
      if (!signal.aborted) throw error;
    } finally {
      entry.users--;
      evict();
    }
  },
};

function opened(base: BaseDirectory, precision: Precision) {
  const key = `${base.digest} ${precision}`;
  const known = residents.get(key);
  const entry = known ?? { resident: open(base, precision), users: 0 };
  residents.delete(key);
  residents.set(key, entry);
  if (!known) entry.resident.catch(() => residents.delete(key));
  return entry;
}

async function open({ directory }: BaseDirectory, precision: Precision): Promise<Resident> {
  const pretrained = await readPretrained(directory);
  const { model } = pretrained;
  const options = { threads: deviceThreads(), cacheBytes: textRoom(model).bytes, inTurn, precision };
  const generator = await Generator.start(pretrained, options);
  let constraints: Promise<JsonConstraints> | undefined;
  const read = async () => new JsonConstraints((await readVocabulary(directory, model.vocabulary)).bytes);
  return { generator, json: () => (constraints ??= read()) };
}

function evict(): void {
  for (const [key, { resident, users }] of residents) {
    if (residents.size <= mostResidents) return;
    if (users > 0) continue;
    residents.delete(key);
    void resident.then(({ generator }) => generator.close());
  }
}
