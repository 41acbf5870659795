/** Five turns of the wheel on real texts: served, judged by users, learned from, let through by the gate or not. */
import { Merge } from "../../shared/datasets/merge.ts";
import { rowId } from "../../shared/datasets/row.ts";
import { mixSeeds, permutation } from "../../shared/engine/random.ts";
import { type Agreement, judgeData, usualDataRules } from "../../shared/promotion/dataGate.ts";
import { type JudgedAnswer, type LabelledItem, labelledItems } from "../../shared/promotion/feedbackItems.ts";
import { judgeOffline, usualOfflineRules } from "../../shared/promotion/offlineGate.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import type { Row } from "../examples/customer.ts";
import { type DataSet, readDataSet, whereDataIsSought } from "./dataSets.ts";
import { learnAndAnswer, percentRight } from "./flywheelModel.ts";
import { flipLabels, judgeAnswers, usualHabits } from "./flywheelUsers.ts";
import type { Bench } from "./suite.ts";

/** What each set starts with, and what comes in by turn. */
export const flywheelSets = [
  { name: "banking77", start: 770, perTurn: 1400 },
  { name: "chnsenticorp_htl", start: 100, perTurn: 900 },
] as const;

const turns = 5;
const frozenRows = 1500;
/** Share of what users said that is judged by and not learned from. */
const heldShare = 0.2;

export interface Stream {
  names: string[];
  frozen: Row[];
  start: Row[];
  /** All that is asked later, in the order in which it comes. */
  later: Row[];
  test: Row[];
}

export function streamOf({ train, test, labels }: DataSet, start: number, seed: number): Stream {
  const rows = Array.from(permutation(train.length, mixSeeds(seed, 0x666c7977)), (place) => train[place]!);
  const unique = [...new Map(rows.map((row) => [rowId(row.text), row])).values()];
  const [a, b] = [frozenRows, frozenRows + start];
  return { names: labels, frozen: unique.slice(0, a), start: unique.slice(a, b), later: unique.slice(b), test };
}

/** What is known when a turn begins. */
interface Wheel {
  stream: Stream;
  learned: Row[];
  /** Those set aside to judge by, as the incumbent answered and users judged them. */
  incumbent: Row[];
  seed: number;
}

interface Turn {
  promoted: boolean;
  accuracy: number;
  reasons: readonly string[];
  rows: Row[];
}

export async function feedback(bench: Bench): Promise<void> {
  const { emit, tell, seeds = 1 } = bench;
  for (const { name, start, perTurn } of flywheelSets) {
    const set = readDataSet(name);
    if (!set) {
      tell(`${name}: left out, it is not in ${whereDataIsSought}`);
      continue;
    }
    for (let seed = 1; seed <= seeds; seed++) {
      const stream = streamOf(set, start, seed);
      const suffix = seeds > 1 ? `/seed-${seed}` : "";
      const first = await accuracyOf(stream.start, stream, seed);
      let wheel: Wheel = { stream, learned: stream.start, incumbent: stream.start, seed };
      let now = first;
      for (let turn = 1; turn <= turns; turn++) {
        const asked = stream.later.slice((turn - 1) * perTurn, turn * perTurn);
        const turned = await turnOnce(wheel, asked, turn);
        if (turned.promoted) now = turned.accuracy;
        wheel = { ...wheel, learned: turned.rows, incumbent: turned.promoted ? turned.rows : wheel.incumbent };
        const said = turned.promoted ? "promoted" : `stopped: ${turned.reasons.join(", ")}`;
        tell(`${name}: turn ${turn}, ${turned.rows.length} rows, candidate ${turned.accuracy.toFixed(1)} %, ${said}`);
        emit({
          ...{ case: `feedback/${name}/turn-${turn}${suffix}`, value: now, unit: "percent" },
          ...{ baseline: first, baseline_source: `the first model, ${start} labels` },
        });
      }
      const all = [...stream.start, ...stream.later.slice(0, turns * perTurn)];
      const gain = { unit: "percent", baseline: 3, baseline_source: "bar, points" } as const;
      emit({ case: `feedback/${name}/gain${suffix}`, value: now - first, ...gain });
      const best = { unit: "percent", baseline: await accuracyOf(all, stream, seed) } as const;
      emit({ case: `feedback/${name}/end${suffix}`, value: now, ...best, baseline_source: "all labels known" });
      await stopped(bench, name, wheel, stream.later.slice(turns * perTurn, (turns + 1) * perTurn));
    }
  }
}

const textOf = ({ text }: Row) => text;

async function accuracyOf(rows: readonly Row[], { test, names }: Stream, seed: number): Promise<number> {
  const { answers } = await learnAndAnswer(rows, test.map(textOf), names, seed);
  return percentRight(answers, test);
}

/** One turn of the wheel over what was asked in it. */
async function turnOnce(wheel: Wheel, asked: readonly Row[], turn: number): Promise<Turn> {
  const before = await answersOf(wheel, wheel.incumbent, asked);
  const judged = judgeAnswers(asked, before.asked, usualHabits, randomOf(wheel.seed, turn));
  return await learnFrom(wheel, asked, judged, before);
}

interface Answers {
  frozen: string[];
  asked: string[];
  test: string[];
}

/** From judged answers to a candidate, and what the gates say of it. */
async function learnFrom(wheel: Wheel, asked: readonly Row[], judged: JudgedAnswer[], before: Answers): Promise<Turn> {
  const { frozen, test } = wheel.stream;
  const items = labelledItems(judged);
  const data = judgeData(agreementOn(frozen, before.frozen), agreementOf(items, judged), usualDataRules);
  const isHeld = ({ index }: LabelledItem) => shareOf(asked[index]!.text) < heldShare;
  const learned = items.filter((item) => !isHeld(item)).map(({ index, label }) => ({ ...asked[index]!, label }));
  const rows = mergeRows(wheel.learned, learned);
  const after = await answersOf(wheel, rows, asked);
  const verdict = judgeOffline(
    frozen.map(({ label }, i) => ({ label, candidate: after.frozen[i]!, incumbent: before.frozen[i]! })),
    items.filter(isHeld).map(({ index, label, weight }) => {
      return { label, weight, candidate: after.asked[index]!, incumbent: before.asked[index]! };
    }),
    usualOfflineRules,
  );
  const reasons = [...(data.passed ? [] : ["labels_disagree"]), ...verdict.reasons];
  return { promoted: reasons.length === 0, accuracy: percentRight(after.test, test), reasons, rows };
}

async function answersOf({ stream, seed }: Wheel, rows: readonly Row[], asked: readonly Row[]): Promise<Answers> {
  const { frozen, test, names } = stream;
  const { answers } = await learnAndAnswer(rows, [...frozen, ...asked, ...test].map(textOf), names, seed);
  const end = frozen.length + asked.length;
  return {
    frozen: answers.slice(0, frozen.length),
    asked: answers.slice(frozen.length, end),
    test: answers.slice(end),
  };
}

/** From 0 to 1, always the same of a text. */
const shareOf = (text: string) => Number.parseInt(rowId(text).slice(0, 6), 16) / 2 ** 24;

function agreementOn(rows: readonly Row[], answers: readonly string[]): Agreement {
  return { items: rows.length, agreeing: answers.filter((answer, i) => answer === rows[i]!.label).length };
}

function agreementOf(items: readonly LabelledItem[], judged: readonly JudgedAnswer[]): Agreement {
  const sum = (of: readonly LabelledItem[]) => of.reduce((all, { weight }) => all + weight, 0);
  return { items: sum(items), agreeing: sum(items.filter(({ index, label }) => judged[index]!.answer === label)) };
}

/** By the rules of a dataset version: each text once, with what was said of it last. */
function mergeRows(...sources: readonly (readonly Row[])[]): Row[] {
  const merge = new Merge();
  for (const [file, rows] of sources.entries()) {
    for (const [line, row] of rows.entries()) merge.add({ ...row, origin: { type: "file", file_id: `${file}`, line } });
  }
  return merge.result().rows.map(({ text, label }) => ({ text, label }));
}

/** What the gates make of a batch of which a share is poisoned, and of a candidate that learned half of what it should. */
async function stopped({ emit, tell }: Bench, name: string, wheel: Wheel, asked: readonly Row[]): Promise<void> {
  const before = await answersOf(wheel, wheel.incumbent, asked);
  const bar = { unit: "percent", baseline: 100, baseline_source: "stopped" } as const;
  const cases = {
    "poisoned-30": flipLabels(asked, wheel.stream.names, 0.3, wheel.seed),
    clean: [...asked],
  };
  for (const [kind, labelled] of Object.entries(cases)) {
    const judged = labelled.map(({ label }, i) => ({ answer: before.asked[i]!, correction: label }));
    const { reasons, accuracy } = await learnFrom(wheel, asked, judged, before);
    tell(`${name}: ${kind}, candidate ${accuracy.toFixed(1)} %, ${reasons.join(", ") || "promoted"}`);
    const isStopped = reasons.includes("labels_disagree") ? 100 : 0;
    emit({ case: `stopped/${name}/${kind}`, value: isStopped, ...bar, baseline: kind === "clean" ? 0 : 100 });
  }
  const half = { ...wheel, learned: wheel.learned.filter((_, i) => i % 2 === 0) };
  const { reasons, accuracy } = await learnFrom(half, asked.slice(0, 1), [{ answer: before.asked[0]! }], before);
  tell(`${name}: a candidate of half the rows, ${accuracy.toFixed(1)} %, ${reasons.join(", ") || "promoted"}`);
  emit({ case: `stopped/${name}/worse-candidate`, value: reasons.length ? 100 : 0, ...bar });
}
