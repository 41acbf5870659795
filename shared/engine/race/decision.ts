/** From what the entrants made of the rows to the model that is to be trained, and what there is to tell of it. */
import type { LabelledLogits } from "../training/evaluation.ts";
import { evaluate, fitTemperature, probabilities } from "../training/evaluation.ts";
import { fitThresholds, type Threshold } from "../training/thresholds.ts";
import { type Balance, countsOf, fitBalance, imbalanceOf, withBias } from "./balance.ts";
import { fitScales, weightedSum } from "./combination.ts";
import { findLabelIssues, margin } from "./confidentLearning.ts";
import { type MethodName, methods, type Setting } from "./methods.ts";
import { fitOutOfScope, type OutOfScopeRule, outOfScopeLabel, withOutOfScope } from "./outOfScope.ts";
import {
  commonLogits,
  commonRows,
  type Field,
  type Finished,
  isNearlyRight,
  labelsOf,
  together,
  within,
} from "./race.ts";
import { type CandidateReport, type ClassReport, classReports, type RaceReport, type Suspect } from "./report.ts";
import { type Rival, scoreOf, verdictOn } from "./verdict.ts";

/** A part of the model, and what its logits are multiplied by. */
export interface WinningPart {
  method: MethodName;
  setting: Setting;
  scale: number;
}

export interface Decision {
  /** One, or n-grams and one over a base. */
  parts: WinningPart[];
  /** Added to the logits, [classes]; null: nothing. */
  bias: number[] | null;
  outOfScope: OutOfScopeRule | null;
  temperature: number;
  thresholds: Threshold[];
}

export interface Outcome {
  decision: Decision;
  report: RaceReport;
}

interface Contestant extends Rival {
  entrants: readonly Finished[];
}

export function decide(finished: readonly Finished[], field: Field, labels: readonly string[]): Outcome {
  const classes = labels.length;
  const contestants = contestantsOf(
    finished.filter(({ isHeat }) => !isHeat),
    field,
    classes,
  );
  const { winner, why } = verdictOn(contestants);
  const { entrants } = contestants.find(({ name }) => name === winner)!;
  const rows = commonRows(entrants);
  const common = { ...commonLogits(entrants, classes), labels: labelsOf(rows, field), classes };
  const scales = fitScales(common);
  const plain = { logits: weightedSum(common.logits, scales), labels: common.labels, classes };
  const temperature = fitTemperature(plain);
  const { held, bias, outOfScope } = adjusted(plain, field, labels);
  const parts = entrants.map(({ method, setting }, i) => ({ method, setting, scale: scales[i]! }));
  const thresholds = fitThresholds(held, temperature);
  const suspects = suspectsOf(finished, field, labels);
  return {
    decision: { parts, bias: bias?.bias ?? null, outOfScope, temperature, thresholds },
    report: {
      ...{
        winner,
        why: isNearlyRight(finished[0]!, field, classes) ? `${why} So nearly right, nobody else was raced.` : why,
        rows: field.rows.length,
        judged: contestants[0]!.held.labels.length,
        folds: field.folds.length,
      },
      candidates: contestants.map((contestant) => candidateReport(contestant)),
      heats: finished.filter(({ isHeat }) => isHeat).map((heat) => heatReport(heat, finished, field, classes)),
      imbalance: imbalanceOf(countsOf(field.examples.labels, classes)),
      balance: bias?.strength ?? null,
      outOfScope: outOfScope && outOfScopeReport(plain, held, outOfScope, labels),
      classes: classReports(held, labels) satisfies ClassReport[],
      ...suspects,
    },
  };
}

/** The cheapest first. */
function contestantsOf(entrants: readonly Finished[], field: Field, classes: number): Contestant[] {
  const [ngram, ...overBase] = entrants;
  const teams = [[ngram!], ...overBase.flatMap((one) => [[one], [ngram!, one]])];
  const judges = commonRows(entrants);
  return teams.map((team) => ({
    name: team.map(({ name }) => name).join(" + "),
    held: together(
      team.map((one) => within(one, judges, classes)),
      field,
      classes,
    ),
    entrants: team,
  }));
}

/** Held back where labels are rare, and with the rule for what is none of them. */
function adjusted(plain: LabelledLogits, field: Field, labels: readonly string[]) {
  const { classes } = plain;
  const none = outOfScopeLabel(labels);
  const counts = countsOf(field.examples.labels, classes);
  const bias: Balance | null = fitBalance(plain, counts);
  const biased = bias ? withBias(plain, bias.bias) : plain;
  const outOfScope = (none === undefined ? undefined : fitOutOfScope(biased, none)) ?? null;
  if (!outOfScope) return { held: biased, bias, outOfScope };
  const logits = new Float32Array(biased.logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    logits.set(withOutOfScope(biased.logits.subarray(at, at + classes), outOfScope), at);
  }
  return { held: { ...biased, logits }, bias, outOfScope };
}

function candidateReport({ name, held, entrants }: Contestant): CandidateReport {
  return {
    name,
    what: entrants.map(({ method }) => methods[method].what),
    ...scoreOf({ name, held }),
    seconds: entrants.reduce((sum, { seconds }) => sum + seconds, 0),
    steps: entrants.reduce((sum, { steps }) => sum + steps, 0),
    tokens: entrants.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

function heatReport(heat: Finished, finished: readonly Finished[], field: Field, classes: number) {
  const ngram = finished.find(({ name }) => name === "ngram")!;
  const { accuracy, loss } = evaluate(together([ngram, heat], field, classes));
  return { name: heat.method, accuracy, loss, seconds: heat.seconds };
}

function outOfScopeReport(
  plain: LabelledLogits,
  held: LabelledLogits,
  { label }: OutOfScopeRule,
  labels: readonly string[],
) {
  const shares = (judged: LabelledLogits) => {
    const all = classReports(judged, labels);
    const others = all.filter((_, k) => k !== label);
    const rows = others.reduce((sum, { rows }) => sum + rows, 0);
    const right = others.reduce((sum, { rows, recall }) => sum + rows * (recall ?? 0), 0);
    return { recall: all[label]!.recall ?? 0, inScopeAccuracy: right / rows };
  };
  return { label: labels[label]!, before: shares(plain), after: shares(held) };
}

/** By what n-grams and the base as it is say of every row together, as they are what every row was judged by. */
function suspectsOf(finished: readonly Finished[], field: Field, labels: readonly string[]) {
  const classes = labels.length;
  const judges = finished.filter(({ rows }) => rows.length === field.rows.length);
  const held = together(judges, field, classes);
  const all = new Float32Array(held.logits.length);
  for (let at = 0; at < all.length; at += classes) {
    all.set(probabilities(held.logits.subarray(at, at + classes), 1), at);
  }
  const judged = { probabilities: all, labels: held.labels, classes };
  const { rows, noise } = findLabelIssues(judged);
  const suspects = rows.map((row): Suspect => {
    const own = all.subarray(row * classes, (row + 1) * classes);
    return {
      line: field.examples.lines?.[row] ?? 0,
      given: labels[held.labels[row]!]!,
      suggested: labels[own.indexOf(Math.max(...own))]!,
      quality: margin(judged, row),
    };
  });
  return { suspects, noise };
}
