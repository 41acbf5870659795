/** How good logits are: loss, accuracy, macro-F1, and the temperature that makes their probabilities honest. */

export interface Evaluation {
  /** Mean of -log softmax(logits)[label], in nats. */
  loss: number;
  /** Share of rows whose highest logit is their label's; the first of equals counts. */
  accuracy: number;
  /** Mean of the labels' F1 scores, over the labels that occur as truth or as answer. */
  macroF1: number;
}

/** `logits` row-major [rows, classes], `labels` [rows]. */
export interface LabelledLogits {
  logits: Float32Array;
  labels: Int32Array;
  classes: number;
}

export function evaluate({ logits, labels, classes }: LabelledLogits): Evaluation {
  const hits = new Float64Array(classes);
  const answers = new Float64Array(classes);
  const truths = new Float64Array(classes);
  for (const [row, label] of labels.entries()) {
    const answer = argmax(logits, row * classes, classes);
    answers[answer]!++;
    truths[label]!++;
    if (answer === label) hits[label]!++;
  }
  const right = hits.reduce((sum, value) => sum + value, 0);
  const loss = negativeLogLikelihood({ logits, labels, classes }, 1);
  return { loss, accuracy: right / labels.length, macroF1: macroF1(hits, answers, truths) };
}

function macroF1(hits: Float64Array, answers: Float64Array, truths: Float64Array): number {
  let sum = 0;
  let present = 0;
  for (const [label, hit] of hits.entries()) {
    const total = answers[label]! + truths[label]!;
    if (total === 0) continue;
    present++;
    sum += (2 * hit) / total;
  }
  return sum / present;
}

function argmax(values: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}

/** Mean over rows of -log softmax(logits / temperature)[label], in nats; computed in float64. */
export function negativeLogLikelihood({ logits, labels, classes }: LabelledLogits, temperature: number): number {
  let total = 0;
  for (const [row, label] of labels.entries()) {
    const start = row * classes;
    const top = logits[start + argmax(logits, start, classes)]!;
    let sum = 0;
    for (let i = 0; i < classes; i++) sum += Math.exp((logits[start + i]! - top) / temperature);
    total += Math.log(sum) - (logits[start + label]! - top) / temperature;
  }
  return total / labels.length;
}

const logTemperatureRange = [Math.log(0.05), Math.log(20)] as const;

/**
 * The temperature of least negative log-likelihood (Guo et al. 2017, "On Calibration of Modern Neural Networks"), found by
 * golden-section search over its logarithm. 1 without rows to judge by. As in Platt 1999, n rows count as saying that the
 * label is right with probability (n + 1) / (n + 2): rows answered without a fault would otherwise ask for certainty.
 */
export function fitTemperature(held: LabelledLogits): number {
  const rows = held.labels.length;
  if (!rows) return 1;
  const doubt = 1 / (rows + 2);
  const gap = meanGapToOthers(held);
  return Math.exp(
    minimize((logTemperature) => {
      const temperature = Math.exp(logTemperature);
      return negativeLogLikelihood(held, temperature) + (doubt * gap) / temperature;
    }, logTemperatureRange),
  );
}

/** Mean over rows of the label's logit less the mean of the other logits: what a doubt of 1 would cost. */
function meanGapToOthers({ logits, labels, classes }: LabelledLogits): number {
  let total = 0;
  for (const [row, label] of labels.entries()) {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    const own = values[label]!;
    const others = values.reduce((sum, value) => sum + value, 0) - own;
    total += own - others / Math.max(classes - 1, 1);
  }
  return total / labels.length;
}

/** Golden-section search for the least of a function with one valley, to 0.001 of its argument. */
function minimize(cost: (x: number) => number, range: readonly [number, number]): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = range as [number, number];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [costLeft, costRight] = [cost(left), cost(right)];
  while (high - low > 1e-3) {
    if (costLeft < costRight) {
      [high, right, costRight] = [right, left, costLeft];
      left = high - ratio * (high - low);
      costLeft = cost(left);
    } else {
      [low, left, costLeft] = [left, right, costRight];
      right = low + ratio * (high - low);
      costRight = cost(right);
    }
  }
  return (low + high) / 2;
}

/** softmax(logits / temperature) of one row, in float64. */
export function probabilities(logits: Float32Array, temperature: number): number[] {
  const top = logits[argmax(logits, 0, logits.length)]!;
  const weights = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
