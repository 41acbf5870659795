/** What a model is given in training and not in inference. */
import type { BufferUpdates } from "../layers/batchNorm.ts";
import type { Dropout } from "../layers/dropout.ts";

export interface TrainingContext {
  /** Collects the next running statistics; without it they are used. */
  readonly buffers?: BufferUpdates;
  readonly dropout?: Dropout;
}
