/** Imported bases, each resident once for all the models that were tuned from it. */
import { keptPromise } from "../../keptPromise.ts";
import type { LoraConfig } from "../../layers/lora.ts";
import { readPretrained } from "../../models/pretrained.ts";
import { Resident, type ResidentAnswer } from "../../resident/resident.ts";
import { readArtifact } from "../../training/artifact.ts";
import type { AdapterFile, Implementations, ReadAnswer, ReadArgument, ReadRow } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { inTurn } from "./inTurn.ts";

/** By base, precision and the form of the adapters. */
const residents = new Map<string, Promise<Resident>>();

export const reading: Implementations<"read"> = {
  async read(argument) {
    const { rows, base } = argument;
    const files = new Map(rows.flatMap(({ model }) => (model ? [[model.key, model] as const] : [])));
    const load = (key: string) => weightsOf(files.get(key)!, base.digest);
    const answers = new Array<ReadAnswer>(rows.length);
    for (const [form, places] of byAdapterForm(argument)) {
      const resident = await residentFor(argument, form);
      for (const some of withinCapacity(places, rows, resident.capacity)) {
        const asked = some.map((place) => ({ ids: rows[place]!.ids, model: rows[place]!.model?.key ?? null }));
        const read = await inTurn(() => resident.run(asked, load));
        for (const [i, place] of some.entries()) {
          answers[place] = answerOf(read[i]!, rows[place]!.wants);
        }
      }
    }
    return answers;
  },
};

function answerOf(read: ResidentAnswer | Error, wants: ReadRow["wants"]): ReadAnswer {
  if (read instanceof Error) return { failed: read.message };
  const { model, vector, logits } = read;
  return { key: model, values: wants === "vector" ? normalized(vector) : logits! };
}

/** Places of rows by the form of their adapters, which is one for nearly all models of a base. */
function byAdapterForm({ rows, adapter }: ReadArgument): Map<LoraConfig, number[]> {
  const groups = new Map<string, { form: LoraConfig; places: number[] }>();
  for (const [place, { model }] of rows.entries()) {
    // Dropout is training's: adapters that differ in nothing else share a resident base.
    const form = { ...(model?.adapter ?? adapter), dropout: 0 };
    const name = JSON.stringify(form);
    const group = groups.get(name) ?? { form, places: [] };
    groups.set(name, group);
    group.places.push(place);
  }
  return new Map([...groups.values()].map(({ form, places }) => [form, places]));
}

/** Places in pieces that name no more models than there are slots. */
function withinCapacity(places: readonly number[], rows: readonly ReadRow[], capacity: number): number[][] {
  const pieces: number[][] = [[]];
  const named = new Set<string>();
  for (const place of places) {
    const key = rows[place]!.model?.key;
    if (key !== undefined && !named.has(key) && named.size === capacity) {
      pieces.push([]);
      named.clear();
    }
    if (key !== undefined) named.add(key);
    pieces.at(-1)!.push(place);
  }
  return pieces;
}

function residentFor({ base, precision, adapterBytes, parts }: ReadArgument, form: LoraConfig): Promise<Resident> {
  const name = JSON.stringify([base.digest, precision, form, parts]);
  const threads = Math.max(1, Math.floor(deviceThreads() / parts));
  const options = { threads, precision, adapterBytes };
  const open = async () => Resident.open(await readPretrained(base.directory), form, options);
  return keptPromise(residents, name, () => inTurn(open));
}

function weightsOf({ path, digest }: AdapterFile, base: string) {
  const { config, weights } = readArtifact(path, digest);
  if (config.base?.digest !== base) throw new Error(`${path} belongs to base ${config.base?.digest}, not ${base}`);
  return weights;
}

function normalized(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
