/**
 * A new electra base over a token table that already means something: its untrained layers let the table through, so that
 * the mean of its states is the mean of its texts' token vectors before the first step.
 */
import { hashName, normals, type Tensor } from "../../../shared/engine/index.ts";

export interface ElectraShape {
  readonly vocabulary: number;
  readonly embedding: number;
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly positions: number;
}

export function electraConfig(shape: ElectraShape): object {
  return {
    architectures: ["ElectraForMaskedLM"],
    model_type: "electra",
    vocab_size: shape.vocabulary,
    embedding_size: shape.embedding,
    hidden_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    intermediate_size: shape.intermediate,
    hidden_act: "gelu",
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0,
    max_position_embeddings: shape.positions,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    position_embedding_type: "absolute",
    tie_word_embeddings: true,
  };
}

/**
 * Layer normalisation would give every token a vector of one length, and a table whose lengths say how much a token counts
 * would lose that. So a large constant lies beside the signal, and is most of the variance: in the table's space by the
 * segment's vector, in the states' space in `carrier` dimensions of their own, which the last layer leaves out.
 */
const constants = { table: 3, state: 2, gain: 2, carrierShare: 0.22, context: 0.4, linear: 4 };
const deviation = { products: 0.03, residual: 0.004, positions: 0.01 };

/** `table` [vocabulary, embedding], of root mean square about 1 where it counts; `prior`: log probability by token. */
export function freshElectra(
  shape: ElectraShape,
  table: Float32Array,
  prior: Float32Array,
  seed: number,
): Record<string, Tensor> {
  const { embedding, hidden, layers, vocabulary } = shape;
  const signal = hidden - Math.floor(constants.carrierShare * hidden);
  const weights = new FreshWeights(hidden, signal, seed);
  const basis = orthonormalColumns(signal, embedding, seed);
  weights.put("electra.embeddings.word_embeddings.weight", [vocabulary, embedding], table);
  addEmbeddings(weights, shape, basis);
  for (let layer = 0; layer < layers; layer++) addLayer(weights, shape, layer);
  const back = new Float32Array(embedding * hidden);
  for (let i = 0; i < signal; i++) {
    for (let j = 0; j < embedding; j++) back[j * hidden + i] = 2 * basis[i * embedding + j]!;
  }
  weights.put("generator_predictions.dense.weight", [embedding, hidden], back);
  // Where GELU is nearly a line; the normalisation behind it takes the constant out.
  weights.put("generator_predictions.dense.bias", [embedding], new Float32Array(embedding).fill(constants.linear));
  weights.norm("generator_predictions.LayerNorm", embedding, () => 0.1);
  weights.put("generator_lm_head.bias", [vocabulary], prior);
  return weights.tensors;
}

/** Weights by name; of the states' dimensions the first ones are the signal's, and the others carry a constant. */
class FreshWeights {
  readonly tensors: Record<string, Tensor> = {};
  readonly hidden: number;
  readonly signal: number;
  readonly seed: number;

  constructor(hidden: number, signal: number, seed: number) {
    this.hidden = hidden;
    this.signal = signal;
    this.seed = seed;
  }

  put(name: string, shape: number[], data: Float32Array): void {
    this.tensors[name] = { shape, data };
  }

  random(name: string, [rows, columns]: readonly [number, number], spread: number): void {
    const { seed } = this;
    this.put(name, [rows, columns], normals(rows * columns, { seed, stream: hashName(name), deviation: spread }));
  }

  norm(name: string, width: number, scale = (_: number) => 1): void {
    const scales = Float32Array.from({ length: width }, (_, i) => scale(i));
    this.put(`${name}.weight`, [width], scales);
    this.put(`${name}.bias`, [width], new Float32Array(width));
  }

  linear(name: string, outputs: number, inputs: number, spread: number): void {
    this.random(`${name}.weight`, [outputs, inputs], spread);
    this.put(`${name}.bias`, [outputs], new Float32Array(outputs));
  }

  // What is the same for every token need not be read; and rounded to eight bits, a product with it would move all texts.
  overlookCarriers(name: string): void {
    const { data } = this.tensors[name]!;
    for (let i = 0; i < data.length; i++) if (i % this.hidden >= this.signal) data[i] = 0;
  }

  addDiagonal(name: string, by: number): void {
    const { data } = this.tensors[name]!;
    for (let i = 0; i < this.signal; i++) data[i * this.hidden + i] = (data[i * this.hidden + i] as number) + by;
  }
}

const sign = (i: number) => (i % 2 === 0 ? 1 : -1);

function addEmbeddings(
  weights: FreshWeights,
  { embedding, hidden, positions }: ElectraShape,
  basis: Float32Array,
): void {
  weights.random("electra.embeddings.position_embeddings.weight", [positions, embedding], deviation.positions);
  const segments = Float32Array.from({ length: 2 * embedding }, (_, i) => constants.table * sign(i % embedding));
  weights.put("electra.embeddings.token_type_embeddings.weight", [2, embedding], segments);
  weights.norm("electra.embeddings.LayerNorm", embedding);
  const project = new Float32Array(hidden * embedding);
  project.set(basis.map((value) => constants.gain * value));
  weights.put("electra.embeddings_project.weight", [hidden, embedding], project);
  const bias = Float32Array.from({ length: hidden }, (_, i) => {
    if (i >= weights.signal) return constants.state * sign(i);
    // What the projection makes of the table's constant, taken back.
    let made = 0;
    for (let j = 0; j < embedding; j++) made += project[i * embedding + j]! * sign(j);
    return -made;
  });
  weights.put("electra.embeddings_project.bias", [hidden], bias);
}

function addLayer(weights: FreshWeights, { hidden, intermediate, layers }: ElectraShape, layer: number): void {
  const path = `electra.encoder.layer.${layer}`;
  const inputs = ["query", "key", "value"].map((name) => `${path}.attention.self.${name}`);
  for (const name of inputs) weights.linear(name, hidden, hidden, deviation.products);
  weights.linear(`${path}.attention.output.dense`, hidden, hidden, deviation.residual);
  // Every token is given some of the mean of all: the mean of a text keeps its direction, and a hidden token sees the others.
  weights.addDiagonal(`${path}.attention.self.value.weight`, 1);
  for (const name of inputs) weights.overlookCarriers(`${name}.weight`);
  weights.addDiagonal(`${path}.attention.output.dense.weight`, constants.context);
  weights.norm(`${path}.attention.output.LayerNorm`, hidden);
  weights.linear(`${path}.intermediate.dense`, intermediate, hidden, deviation.products);
  weights.overlookCarriers(`${path}.intermediate.dense.weight`);
  weights.linear(`${path}.output.dense`, hidden, intermediate, deviation.residual);
  const isLast = layer === layers - 1;
  weights.norm(`${path}.output.LayerNorm`, hidden, (i) => (isLast && i >= weights.signal ? 0 : 1));
}

/** [rows, columns] with columns of length 1 at right angles to each other (Gram and Schmidt). */
function orthonormalColumns(rows: number, columns: number, seed: number): Float32Array {
  const matrix = normals(rows * columns, { seed, stream: hashName("orthonormal") });
  const column = (j: number) => Float64Array.from({ length: rows }, (_, i) => matrix[i * columns + j]!);
  for (let j = 0; j < columns; j++) {
    const own = column(j);
    for (let k = 0; k < j; k++) {
      const other = column(k);
      const along = own.reduce((sum, value, i) => sum + value * other[i]!, 0);
      for (let i = 0; i < rows; i++) own[i]! -= along * other[i]!;
    }
    const length = Math.hypot(...own);
    for (let i = 0; i < rows; i++) matrix[i * columns + j] = own[i]! / length;
  }
  return matrix;
}
