/** Whether texts that none of the labels fits are known for it, and at what cost to the others: clinc150 with its `oos` rows. */
import { baselineOf } from "./accuracyBaseline.ts";
import { bar } from "./accuracyFull.ts";
import { type Part, tune } from "./accuracyJobs.ts";
import { accuracyOf, meanOf } from "./accuracyMeasures.ts";
import { type DataSet, readDataSet, whereDataIsSought } from "./dataSets.ts";

const name = "clinc150";
const none = "oos";
const usualSeeds = 3;
const wanted = { recall: 60, accuracy: 92 };

export const outOfScope: Part = async ({ client, emit, tell, seeds = usualSeeds }) => {
  const set = readDataSet(name);
  if (!set) {
    tell(`${name}: left out, it is not in ${whereDataIsSought}`);
    return;
  }
  const found = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const { answers } = await tune(client, set, { name: `${name}-oos`, model: "millrace-auto", seed, tell });
    found.push(sharesOf(answers, set));
  }
  const recall = meanOf(found.map((shares) => shares.recall));
  const accuracy = meanOf(found.map((shares) => shares.accuracy));
  emit({ case: "outofscope/recall", value: recall, unit: "percent", ...bar(wanted.recall) });
  emit({ case: "outofscope/in-scope", value: accuracy, unit: "percent", ...bar(wanted.accuracy) });
  const { predictions, source } = await baselineOf({ name, analyzer: "words" }, set, tell);
  if (!predictions) return;
  const theirs = sharesOf(predictions, set);
  const compared = { unit: "percent", baseline_source: source } as const;
  emit({ case: "outofscope/recall-svm", value: recall, baseline: theirs.recall, ...compared });
  emit({ case: "outofscope/in-scope-svm", value: accuracy, baseline: theirs.accuracy, ...compared });
};

function sharesOf(answers: readonly (string | null)[], { test }: DataSet) {
  const of = (isNone: boolean) => {
    const places = [...test.keys()].filter((i) => (test[i]!.label === none) === isNone);
    return (
      100 *
      accuracyOf(
        places.map((i) => answers[i]!),
        places.map((i) => test[i]!),
      )
    );
  };
  return { recall: of(true), accuracy: of(false) };
}
