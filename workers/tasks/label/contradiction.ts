/** How far feedback contradicts an answer: verdicts of boolean metrics, and whether somebody showed another one. */
import type { FeedbackInForce } from "../../../shared/schemas/inForce.ts";
import type { Metrics } from "../../../shared/stores/metrics.ts";

/** By boolean metric, the value that speaks for the answer. */
export type Directions = ReadonlyMap<string, boolean>;

const everyMetric = 10_000;

export async function directionsOf(metrics: Pick<Metrics, "list">, project: string): Promise<Directions> {
  const all = await metrics.list(project, { limit: everyMetric });
  return new Map(all.filter(({ type }) => type === "boolean").map(({ name, optimize }) => [name, optimize === "max"]));
}

/** From 0 to 1; undefined where nobody judged. A demonstration is given where the answer was not what was wanted. */
export function contradictionIn(feedback: FeedbackInForce, directions: Directions): number | undefined {
  const verdicts = Object.values(feedback).flatMap(({ metric_name, value }) => {
    if (metric_name === "demonstration") return [1];
    const wanted = directions.get(metric_name);
    return wanted === undefined || typeof value !== "boolean" ? [] : [Number(value !== wanted)];
  });
  return verdicts.length ? verdicts.reduce((sum, value) => sum + value, 0) / verdicts.length : undefined;
}
