/** What the fine-tuned model has to beat, taught with the same mails. */
import naiveBayesTextClassifier from "wink-naive-bayes-text-classifier";
import { type Label, labels, type Mail } from "./mails.ts";

type Predict = (text: string) => string;

/** Always the label seen most often. */
export function majority(train: readonly Mail[]): Predict {
  const count = (label: Label) => train.filter((mail) => mail.label === label).length;
  const [most] = labels.toSorted((a, b) => count(b) - count(a));
  return () => most!;
}

/**
 * The library's own text preparation takes ten times as long and 0.1 smooths better than its default of 1 here, so that
 * the baseline is as good as a user of the library would make it.
 */
export function naiveBayes(train: readonly Mail[]): Predict {
  const classifier = naiveBayesTextClassifier();
  classifier.defineConfig({ smoothingFactor: 0.1 });
  classifier.definePrepTasks([(text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []]);
  for (const { text, label } of train) classifier.learn(text, label);
  classifier.consolidate();
  return (text) => classifier.predict(text);
}
