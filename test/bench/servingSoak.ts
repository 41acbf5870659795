/** Minutes of mixed load, with less room than the models need: adapters and files come and go, and memory should not. */
import { permutation } from "../../shared/engine/index.ts";
import { type Resident, residentSets, slope } from "./servingMemory.ts";
import { askAll, type Question, type Stage } from "./servingStage.ts";
import type { Bench } from "./suite.ts";

const models = 256;
/** Models that have room in memory, and on disk, if all are of one size. */
const room = { memory: 32, disk: 96 };
/** Asked for half of the time, and so always there. */
const favourites = 16;
const atOnce = 32;
const usualMinutes = 3;
/** Minutes, or half of a short time, before memory is what it will be: in five every shape of batch has come by. */
const warmUp = 5;

export async function soak(stage: Stage, { emit, tell, minutes = usualMinutes }: Bench): Promise<void> {
  const all = await stage.models(models);
  const bytes = all[0]!.record.bytes;
  const host = stage.host({
    precisionOf: () => "int8",
    adapterBytes: room.memory * bytes,
    fileBytes: room.disk * bytes,
  });
  const { test } = stage.set;
  const portionAt = (portion: number): Question[] =>
    Array.from(permutation(models, 1, portion)).map((shuffled, i) => ({
      text: test[(portion * models + i) % test.length]!.text,
      model: all[i % 2 ? i % favourites : shuffled]!,
    }));
  tell(`serving: ${minutes} minutes of ${models} models where ${room.memory} have room`);
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 60_000;
  const points: (Resident & { minute: number })[] = [];
  let portion = 0;
  while (elapsed() < minutes) {
    await askAll(host, portionAt(portion++), atOnce);
    if (elapsed() > Math.min(warmUp, minutes / 2)) points.push({ minute: elapsed(), ...residentSets() });
  }
  await host.close();
  const growth = (memory: (at: Resident) => number) => slope(points.map((at) => [at.minute, memory(at)] as const));
  const [first, last] = [points[0]!, points.at(-1)!];
  const told = (name: keyof Resident) =>
    `${first[name].toFixed(0)} to ${last[name].toFixed(0)}, ${growth((at) => at[name]).toFixed(2)} a minute`;
  tell(`serving: ${portion * models} texts; resident MiB here ${told("here")}; of devices ${told("devices")}`);
  const none = { baseline: null, baseline_source: `none; over ${minutes} minutes, while memory fills left out` };
  emit({
    case: "soak/growth-per-minute",
    value: growth(({ here, devices }) => here + devices),
    unit: "mebibytes",
    ...none,
  });
}
