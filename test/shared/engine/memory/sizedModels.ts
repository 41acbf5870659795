/** Models large enough that their tensors, not the process around them, are what memory is measured of. */
import {
  causalCrossEntropy,
  classifier,
  crossEntropy,
  encoderInputs,
  input,
  type Node,
  resNet,
  type Tensor,
  tinyResNet,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import type { Bindings } from "../../../../shared/engine/memory/sizes.ts";
import { modelOf } from "../../../../shared/engine/models/families.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";

export interface SizedModel {
  readonly loss: Node;
  readonly parameters: readonly Node[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly bindings: Bindings;
}

interface Size {
  readonly batch: number;
  readonly sequence: number;
}

const whole = (shape: readonly number[], of: (i: number) => number): Tensor => {
  return { shape, data: Int32Array.from({ length: shape.reduce((size, dim) => size * dim, 1) }, (_, i) => of(i)) };
};
const ids = ({ batch, sequence }: Size, vocabulary: number) =>
  whole([batch, sequence], (i) => 1 + ((i * 7919) % (vocabulary - 1)));
const text = (size: Size, vocabulary: number) => ({
  input_ids: ids(size, vocabulary),
  attention_mask: whole([size.batch, size.sequence], () => 1),
});
const classes = ({ batch }: Size) => whole([batch], (i) => i % 4);
const labelled = (logits: Node) => crossEntropy(logits, input("labels", ["batch"], "int32"));

export const sizedModels = {
  /** Long sequences: nearly all of it is attention. */
  encoder(size: Size): SizedModel {
    const scope = new WeightScope();
    const config = { layers: 6, hidden: 128, heads: 8, intermediate: 512, vocabulary: 2000, labels: 4 };
    const loss = labelled(classifier(scope, encoderInputs(), { ...config, maxPositions: size.sequence }));
    const feeds = { ...text(size, config.vocabulary), labels: classes(size) };
    return { loss, parameters: scope.parameters, feeds, bindings: { ...size } };
  },
  /** Rather more weights, and a large vocabulary to predict from. */
  llama(size: Size): SizedModel {
    const scope = new WeightScope();
    const vocab_size = 4000;
    const config = new CheckpointConfig({
      ...{ model_type: "llama", hidden_size: 192, intermediate_size: 512, num_hidden_layers: 6, vocab_size },
      ...{ num_attention_heads: 6, num_key_value_heads: 2, rms_norm_eps: 1e-5, max_position_embeddings: 2048 },
    });
    const { output } = buildModel(modelOf(config), { head: "causal" }, { inputs: textInputs(), scope });
    const loss = causalCrossEntropy(output, input("labels", ["batch", "sequence"], "int32"));
    const feeds = { ...text(size, vocab_size), labels: ids(size, vocab_size) };
    return { loss, parameters: scope.parameters, feeds, bindings: { ...size } };
  },
  /** Few weights, many pictures. */
  resnet(size: Size): SizedModel {
    const scope = new WeightScope();
    const logits = resNet(scope, input("image", ["batch", 1, 28, 28]), { ...tinyResNet, labels: 4 }, new Map());
    const parameters = scope.parameters.filter(({ name }) => !/running_(mean|var)$/.test(name!));
    const image = { shape: [size.batch, 1, 28, 28], data: new Float32Array(size.batch * 784).fill(0.5) };
    return { loss: labelled(logits), parameters, feeds: { image, labels: classes(size) }, bindings: { ...size } };
  },
};

export type SizedModelName = keyof typeof sizedModels;
