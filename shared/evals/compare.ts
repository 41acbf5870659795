/** Two runs on the same items: which differences between them are more than chance. */
import { hash } from "node:crypto";
import type { EvalOutputItem } from "../schemas/evalOutputItem.ts";
import { cohenKappa } from "../statistics/agreement.ts";
import { bootstrapInterval } from "../statistics/bootstrap.ts";
import { macroF1Of } from "../statistics/macroF1.ts";
import { discordanceOf, mcNemar, pairedInterval } from "../statistics/pairedComparison.ts";
import type { Interval } from "../statistics/proportions.ts";
import { canonical } from "./canonical.ts";

/** What of an output item is compared. */
export interface Outcome {
  /** The same for the same item. */
  key: string;
  status: EvalOutputItem["status"];
  output: string;
  /** By criterion. */
  results: readonly { score: number; passed: boolean }[];
  /** By field, as asked for. */
  fields: readonly (string | null)[];
}

/** `fields`: what is read from the item, by path; null where it is not there. */
export function outcomeOf(item: EvalOutputItem, fields: readonly ((item: unknown) => string | null)[]): Outcome {
  const { datasource_item, sample, status } = item;
  const results = item.results.map(({ score, passed }) => ({ score, passed }));
  const key = hash("sha256", canonical(datasource_item));
  const output = sample.output.map(({ content }) => content).join("\n");
  return { key, status, output, results, fields: fields.map((read) => read(datasource_item)) };
}

export interface Pair {
  a: Outcome;
  b: Outcome;
}

export interface Pairing {
  pairs: Pair[];
  unpaired: { a: number; b: number };
  errored: number;
}

/** An item that is there twice is paired twice, in order. */
export function pairUp(a: readonly Outcome[], b: readonly Outcome[]): Pairing {
  const waiting = new Map<string, Outcome[]>();
  for (const outcome of b) {
    const same = waiting.get(outcome.key);
    if (same) same.push(outcome);
    else waiting.set(outcome.key, [outcome]);
  }
  for (const same of waiting.values()) same.reverse();
  const found = a.flatMap((outcome): Pair[] => {
    const other = waiting.get(outcome.key)?.pop();
    return other ? [{ a: outcome, b: other }] : [];
  });
  const pairs = found.filter((pair) => pair.a.status !== "error" && pair.b.status !== "error");
  const unpaired = { a: a.length - found.length, b: b.length - found.length };
  return { pairs, unpaired, errored: found.length - pairs.length };
}

type Passes = (outcome: Outcome) => boolean;

export function counted(pairs: readonly Pair[], passes: Passes) {
  const [a, b] = [pairs.map((pair) => passes(pair.a)), pairs.map((pair) => passes(pair.b))];
  const discordance = discordanceOf(b, a);
  const { onlyCandidate: only_b, onlyIncumbent: only_a } = discordance;
  const both = a.filter((passed, i) => passed && b[i]).length;
  const neither = pairs.length - both - only_a - only_b;
  return { both, only_a, only_b, neither, difference: pairedInterval(discordance) };
}

/** With McNemar's test. */
export function tested(pairs: readonly Pair[], passes: Passes) {
  const found = counted(pairs, passes);
  const { only_a: onlyIncumbent, only_b: onlyCandidate } = found;
  const { pValue, midPValue } = mcNemar({ items: pairs.length, onlyCandidate, onlyIncumbent });
  return { ...found, p_value: Math.min(1, pValue), mid_p_value: Math.min(1, midPValue) };
}

/** Draws as often as a moment allows. */
function again(items: number, statistic: (items: Int32Array) => number): Interval {
  const resamples = Math.min(2000, Math.max(200, Math.floor(1e7 / items)));
  return bootstrapInterval(items, statistic, { seed: 7, resamples, method: "percentile" });
}

/** Mean of `b` less that of `a`. */
export function meanDifference(pairs: readonly Pair[], value: (outcome: Outcome) => number): Interval {
  const differences = Float64Array.from(pairs, ({ a, b }) => value(b) - value(a));
  return again(pairs.length, (items) => {
    let sum = 0;
    for (const item of items) sum += differences[item]!;
    return sum / items.length;
  });
}

const mostRows = 100;
const mostOutputs = 50;

/** Values by how often they occur. */
function frequent(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).map(([value]) => value);
}

function byField(pairs: readonly Pair[], field: number): Map<string, Pair[]> {
  const groups = Map.groupBy(pairs, ({ a }) => a.fields[field]);
  const values = frequent(pairs.flatMap(({ a }) => a.fields[field] ?? []));
  return new Map(values.map((value) => [value, groups.get(value)!]));
}

export function sliced(pairs: readonly Pair[], field: number) {
  const all = [...byField(pairs, field)];
  const rows = all.slice(0, mostRows).map(([value, of]) => {
    return { value, ...counted(of, ({ status }) => status === "pass") };
  });
  return { rows, left_out: all.length - rows.length };
}

/** Undefined where no output is ever a class: then the field is no right answer. */
export function byClass(all: readonly Pair[], field: number) {
  const pairs = all.filter(({ a }) => a.fields[field] !== null);
  const groups = byField(pairs, field);
  const isClass = ({ output }: Outcome) => groups.has(output);
  if (groups.size < 2 || pairs.length < 2 || !pairs.some(({ a, b }) => isClass(a) || isClass(b))) return undefined;
  const right: Passes = ({ output, fields }) => output === fields[field];
  const precision = (side: "a" | "b", value: string) => {
    const told = pairs.filter((pair) => pair[side].output === value);
    return told.length ? told.filter((pair) => right(pair[side])).length / told.length : null;
  };
  const rows = [...groups].slice(0, mostRows).map(([value, of]) => {
    return { value, ...counted(of, right), precision_a: precision("a", value), precision_b: precision("b", value) };
  });
  return { macro_f1: macroF1Difference(pairs, field, [...groups.keys()]), rows };
}

/** What is no class at all counts as one more. */
function macroF1Difference(pairs: readonly Pair[], field: number, classes: readonly string[]): Interval {
  const places = new Map(classes.map((value, place) => [value, place]));
  const truth = Int32Array.from(pairs, ({ a }) => places.get(a.fields[field]!)!);
  const f1Of = (side: "a" | "b") => {
    const told = Int32Array.from(pairs, (pair) => places.get(pair[side].output) ?? classes.length);
    return macroF1Of(truth, told, classes.length + 1);
  };
  const [a, b] = [f1Of("a"), f1Of("b")];
  return again(pairs.length, (items) => b(items) - a(items));
}

export function agreementOf(pairs: readonly Pair[]) {
  const outputs = frequent(pairs.flatMap(({ a, b }) => [a.output, b.output]));
  const share = pairs.filter(({ a, b }) => a.output === b.output).length / pairs.length;
  if (outputs.length > mostOutputs) return { share, kappa: null, outputs: null, counts: null };
  const places = new Map(outputs.map((output, place) => [output, place]));
  const placesOf = (side: "a" | "b") => pairs.map((pair) => places.get(pair[side].output)!);
  const [first, second] = [placesOf("a"), placesOf("b")];
  const counts = outputs.map(() => outputs.map(() => 0));
  for (const [i, row] of first.entries()) counts[row]![second[i]!]!++;
  return { share, kappa: cohenKappa(first, second), outputs, counts };
}
