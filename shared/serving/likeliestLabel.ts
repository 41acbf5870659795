/** What a classifier says, in one word. Apart from the model host, for those who read answers and run no models. */
import type { Classification } from "./host.ts";

export function likeliestLabel({ labels, probabilities }: Pick<Classification, "labels" | "probabilities">): string {
  return labels[probabilities.indexOf(Math.max(...probabilities))]!;
}
