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
  const { embedding, hidden, intermediate, layers, vocabulary, positions } = shape;
  const weights: Record<string, Tensor> = {};
  const put = (name: string, dims: number[], data: Float32Array) => {
    weights[name] = { shape: dims, data };
  };
  const random = (name: string, dims: [number, number], spread: number) =>
    put(name, dims, normals(dims[0] * dims[1], { seed, stream: hashName(name), deviation: spread }));
  const norm = (name: string, width: number, scale = (_: number) => 1) => {
    put(
      `${name}.weight`,
      [width],
      Float32Array.from({ length: width }, (_, i) => scale(i)),
    );
    put(`${name}.bias`, [width], new Float32Array(width));
  };
  const linear = (name: string, outputs: number, inputs: number, spread: number) => {
    random(`${name}.weight`, [outputs, inputs], spread);
    put(`${name}.bias`, [outputs], new Float32Array(outputs));
  };
  const carried = Math.floor(constants.carrierShare * hidden);
  const isCarrier = (i: number) => i >= hidden - carried;
  const sign = (i: number) => (i % 2 === 0 ? 1 : -1);

  // What is the same for every token need not be read; and rounded to eight bits, a product with it would move all texts.
  const overlookCarriers = (name: string) => {
    const { data } = weights[name]!;
    for (let i = 0; i < data.length; i++) if (isCarrier(i % hidden)) data[i] = 0;
  };
  const addDiagonal = (name: string, by: number) => {
    const { data } = weights[name]!;
    for (let i = 0; i < hidden - carried; i++) data[i * hidden + i] = (data[i * hidden + i] as number) + by;
  };

  put("electra.embeddings.word_embeddings.weight", [vocabulary, embedding], table);
  random("electra.embeddings.position_embeddings.weight", [positions, embedding], deviation.positions);
  put(
    "electra.embeddings.token_type_embeddings.weight",
    [2, embedding],
    Float32Array.from({ length: 2 * embedding }, (_, i) => constants.table * sign(i % embedding)),
  );
  norm("electra.embeddings.LayerNorm", embedding);

  const basis = orthonormalColumns(hidden - carried, embedding, seed);
  const project = new Float32Array(hidden * embedding);
  project.set(basis.map((value) => constants.gain * value));
  put("electra.embeddings_project.weight", [hidden, embedding], project);
  put(
    "electra.embeddings_project.bias",
    [hidden],
    Float32Array.from({ length: hidden }, (_, i) => {
      if (isCarrier(i)) return constants.state * sign(i);
      // What the projection makes of the table's constant, taken back.
      let made = 0;
      for (let j = 0; j < embedding; j++) made += project[i * embedding + j]! * sign(j);
      return -made;
    }),
  );
  for (let layer = 0; layer < layers; layer++) {
    const path = `electra.encoder.layer.${layer}`;
    for (const name of ["query", "key", "value"])
      linear(`${path}.attention.self.${name}`, hidden, hidden, deviation.products);
    linear(`${path}.attention.output.dense`, hidden, hidden, deviation.residual);
    // Every token is given some of the mean of all: the mean of a text keeps its direction, and a hidden token sees the others.
    addDiagonal(`${path}.attention.self.value.weight`, 1);
    for (const name of ["query", "key", "value"]) overlookCarriers(`${path}.attention.self.${name}.weight`);
    addDiagonal(`${path}.attention.output.dense.weight`, constants.context);
    norm(`${path}.attention.output.LayerNorm`, hidden);
    linear(`${path}.intermediate.dense`, intermediate, hidden, deviation.products);
    overlookCarriers(`${path}.intermediate.dense.weight`);
    linear(`${path}.output.dense`, hidden, intermediate, deviation.residual);
    norm(`${path}.output.LayerNorm`, hidden, layer === layers - 1 ? (i) => (isCarrier(i) ? 0 : 1) : undefined);
  }
  const back = new Float32Array(embedding * hidden);
  for (let i = 0; i < hidden - carried; i++) {
    for (let j = 0; j < embedding; j++) back[j * hidden + i] = 2 * basis[i * embedding + j]!;
  }
  put("generator_predictions.dense.weight", [embedding, hidden], back);
  // Where GELU is nearly a line; the normalisation behind it takes the constant out.
  put("generator_predictions.dense.bias", [embedding], new Float32Array(embedding).fill(constants.linear));
  norm("generator_predictions.LayerNorm", embedding, () => 0.1);
  put("generator_lm_head.bias", [vocabulary], prior);
  return weights;
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
