/** Libraries that come without types: the part that is used here. */

declare module "asciichart" {
  export function plot(series: readonly number[], options?: { height?: number; padding?: string }): string;
}

declare module "wink-naive-bayes-text-classifier" {
  interface NaiveBayes {
    defineConfig(options: { considerOnlyPresence?: boolean; smoothingFactor?: number }): boolean;
    definePrepTasks(tasks: ((text: string) => string[])[]): number;
    learn(text: string, label: string): boolean;
    consolidate(): boolean;
    predict(text: string): string;
  }
  export default function naiveBayesTextClassifier(): NaiveBayes;
}
