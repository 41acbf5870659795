/** The engine's door: graphs, gradients, export and optimizers. The runtime stands apart, in `runtime/session.ts`. */
export { type AccumulationOptions, accumulationStep, applyStep } from "./accumulation.ts";
export { type DataType, dataTypeOf, type Tensor, type TypedArray, zerosTensor } from "./dataTypes.ts";
export { GradientError, type GradientOptions, gradients } from "./gradient.ts";
export { constant, input, int64s, type Node, parameter, type TensorType, topologicalOrder } from "./graph.ts";
export { type ActivationName, activations } from "./layers/activation.ts";
export {
  type AttentionContext,
  attention,
  type HeadLayout,
  type Projections,
} from "./layers/attention.ts";
export { embedding, layerNorm, linear, linearInputsFirst } from "./layers/basic.ts";
export { type BatchNormOptions, type BufferUpdates, batchNorm, withoutBuffers } from "./layers/batchNorm.ts";
export { type ConvolutionOptions, convolution, normalizedConvolution } from "./layers/convolution.ts";
export { type Dropout, dropout } from "./layers/dropout.ts";
export { initialize } from "./layers/initialize.ts";
export { initializeByFan } from "./layers/initializeByFan.ts";
export {
  initializeLora,
  type Lora,
  type LoraConfig,
  LoraError,
  mergeLora,
  scaleOf,
  withLora,
} from "./layers/lora.ts";
export { accuracy, type CrossEntropyOptions, crossEntropy, weightedMean } from "./layers/losses.ts";
export { type AlignmentTargets, temporalClassification } from "./layers/lossesAlignment.ts";
export {
  type BinaryOptions,
  binaryCrossEntropy,
  huber,
  meanSquaredError,
  type RowOptions,
} from "./layers/lossesElementwise.ts";
export {
  causalCrossEntropy,
  type DistillationOptions,
  directPreference,
  distillation,
  ignoredLabel,
  maskedCrossEntropy,
  type Preference,
  textLogProbabilities,
} from "./layers/lossesLanguage.ts";
export { marginCrossEntropy, multiClassHinge, oneHot, squaredHinge, squaredNorm } from "./layers/lossesMargin.ts";
export {
  bayesianPersonalizedRanking,
  multipleNegativesRanking,
  normalized,
  triplet,
} from "./layers/lossesRanking.ts";
export { causalMask, paddingMask } from "./layers/masks.ts";
export { nearestLora } from "./layers/nearestLora.ts";
export { gru, lstm, type RecurrentOptions, type RecurrentStates } from "./layers/recurrent.ts";
export { rmsNorm } from "./layers/rmsNorm.ts";
export { type Pairing, type Rotary, type RotaryConfig, rotary, rotate } from "./layers/rotary.ts";
export { multiHeadAttention, type TransformerConfig, transformerLayer } from "./layers/transformer.ts";
export {
  type KnownShapes,
  type LinearCall,
  type LinearExtension,
  WeightError,
  WeightScope,
} from "./layers/weightScope.ts";
export { type LoopModel, toLoopOnnx } from "./loop.ts";
export { MemoryError, type MicroBatchOptions, type MicroBatchPlan, planMicroBatch } from "./memory/plan.ts";
export { describeReport, type MemoryGroup, type MemoryReport, memoryReport, runtimeBytes } from "./memory/report.ts";
export { type AudioCnnConfig, audioCnn } from "./models/audioCnn.ts";
export { type EmbeddingBagConfig, embeddingBag } from "./models/embeddingBag.ts";
export {
  classifier,
  type EncoderConfig,
  type EncoderInputs,
  encoder,
  encoderInputs,
  meanPooling,
  tinyEncoder,
} from "./models/encoder.ts";
export { type LinearLossOptions, type LinearModelName, linearLoss, linearModel } from "./models/linear.ts";
export { type LstmClassifierConfig, lstmClassifier } from "./models/lstmClassifier.ts";
export { type ResNetConfig, resNet, resNetFeatures, tinyResNet } from "./models/resnet.ts";
export { nextItemLoss, type SasRecConfig, sasRec } from "./models/sasrec.ts";
export { squeezeNetFeatures, squeezeNetFromKeras, squeezeNetWidth } from "./models/squeezenet.ts";
export { type TabularConfig, type TabularInputs, tabularInputs, tabularModel } from "./models/tabular.ts";
export { type TextCnnConfig, textCnn } from "./models/textCnn.ts";
export type { TrainingContext } from "./models/trainingContext.ts";
export { joinNarrowProducts } from "./narrowProducts.ts";
export { ExportError, type Model, type ModelWithData, toOnnx } from "./onnx.ts";
export {
  abs,
  clip,
  erf,
  exp,
  gelu,
  geluTanh,
  hardSigmoid,
  log,
  neg,
  relu,
  sigmoid,
  sign,
  sqrt,
  tanh,
} from "./ops/activations.ts";
export { bitwiseXor, shiftRight } from "./ops/bits.ts";
export { type Convolution, conv, convTranspose } from "./ops/convolution.ts";
export { add, div, max, min, mul, type Operand, pow, square, sub } from "./ops/elementwise.ts";
export { type OpType, ops } from "./ops/index.ts";
export { gather, gatherElements, pick, scatterElements } from "./ops/indexing.ts";
export {
  concat,
  expandLike,
  reshape,
  reshapeLike,
  slice,
  sliceLike,
  squeeze,
  transpose,
  unsqueeze,
} from "./ops/layout.ts";
export { cast, equal, greater, less, where } from "./ops/logic.ts";
export { matmul, swapLast } from "./ops/matmul.ts";
export { layerNormalization, logSoftmax, softmax } from "./ops/normalization.ts";
export { pad } from "./ops/padding.ts";
export { averagePool, globalAveragePool, globalMaxPool, maxPool, type Pooling } from "./ops/pooling.ts";
export { reduceMax, reduceMean, reduceMin, reduceSum, reduceSumSquare, sumTo } from "./ops/reductions.ts";
export { dimensionOf, shapeOf, zerosLike } from "./ops/shapes.ts";
export { logSigmoid, silu, softplus } from "./ops/smoothActivations.ts";
export { unstack } from "./ops/unstack.ts";
export { type AdafactorOptions, adafactor } from "./optimizers/adafactor.ts";
export { type AdamWOptions, adamw } from "./optimizers/adamw.ts";
export { clipByGlobalNorm } from "./optimizers/clip.ts";
export { type LionOptions, lion } from "./optimizers/lion.ts";
export { chain, type Optimizer } from "./optimizers/optimizer.ts";
export { type Schedule, type ScheduleName, type ScheduleOptions, schedule } from "./optimizers/schedules.ts";
export { type SgdOptions, sgd } from "./optimizers/sgd.ts";
export { averageWeights, scaleUpdates } from "./optimizers/transforms.ts";
export { type AutocastOptions, autocast, type HalfType } from "./precision/autocast.ts";
export type { LossScaleOptions } from "./precision/lossScale.ts";
export { type MixedPrecisionOptions, mixedPrecisionStep } from "./precision/mixedPrecision.ts";
export {
  epsilonOf,
  noiseFor,
  type PrivacyBudget,
  type PrivacyEvent,
  type PrivacySpent,
} from "./privacy/accountant.ts";
export { perExampleGradients } from "./privacy/perExample.ts";
export { type ClippedSumOptions, clippedSumStep, noiseFeeds, noisyStep, type Privacy } from "./privacy/privateStep.ts";
export { poissonSample, type SecretRandom, secretRandom } from "./privacy/secretRandom.ts";
export { PrivacyError } from "./privacy/separateRows.ts";
export { type Int8Options, int8Model, int8Step } from "./quantization/frozenInt8.ts";
export { type Precision, precisions } from "./quantization/precision.ts";
export { keepWorseThan, productErrors } from "./quantization/productErrors.ts";
export { servingModel } from "./quantization/serving.ts";
export { hashName, mixSeeds, normals, permutation, philox } from "./random.ts";
export { layerBoundaries } from "./recompute.ts";
export { type Dim, elementCount, product, type Shape, ShapeError } from "./shape.ts";
export { type Batches, type BatchOptions, lengthBatches, paddingShare } from "./training/batches.ts";
export {
  type Carried,
  carryOver,
  newName,
  type TrainingStep,
  type TrainingStepOptions,
  trainingStep,
} from "./trainingStep.ts";
export {
  adapterDataFor,
  readAdapter,
  type StoredAdapter,
  writeAdapter,
} from "./weights/peftAdapter.ts";
export { readSafetensors, type Safetensors, type StoredTensor, writeSafetensors } from "./weights/safetensors.ts";
export { SafetensorsError } from "./weights/safetensorsHeader.ts";
