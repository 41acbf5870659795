/**
 * Serving, on two cores: the model host beside transformers.js, many models beside one, HTTP beside the host, and
 * memory over time. Everything with an encoder of MiniLM-L6's size that has learned banking77, and texts it has not seen.
 */
import { generation } from "./servingGeneration.ts";
import { http } from "./servingHttp.ts";
import { many } from "./servingMany.ts";
import { soak } from "./servingSoak.ts";
import { openStage, type Stage } from "./servingStage.ts";
import { throughput } from "./servingThroughput.ts";
import type { Bench, Suite } from "./suite.ts";

const onStage: Record<string, (stage: Stage, bench: Bench) => Promise<void>> = { throughput, many, http, soak };
const alone: Record<string, (bench: Bench) => Promise<void>> = { generation };
const parts = [...Object.keys(onStage), ...Object.keys(alone)];

export const serving: Suite = async (bench) => {
  const chosen = bench.part === undefined ? parts : [bench.part];
  const unknown = chosen.find((part) => !parts.includes(part));
  if (unknown !== undefined) throw new Error(`serving has no part "${unknown}"; it has ${parts.join(" and ")}.`);
  const played = chosen.filter((part) => Object.hasOwn(onStage, part));
  const stage = played.length > 0 ? await openStage(bench) : undefined;
  try {
    for (const part of stage ? played : []) await onStage[part]!(stage!, bench);
  } finally {
    await stage?.close();
  }
  for (const part of chosen.filter((part) => Object.hasOwn(alone, part))) await alone[part]!(bench);
  return "done";
};
