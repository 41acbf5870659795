/** Every function of a device process, by name. */
import type { Implementations } from "../deviceProtocol.ts";
import { attribution } from "./attribution.ts";
import { classification } from "./classification.ts";
import { generation } from "./generation.ts";
import { infer } from "./infer.ts";
import { measuring } from "./measuring.ts";
import { pretraining } from "./pretraining.ts";
import { reading } from "./reading.ts";
import { training } from "./training.ts";

export const functions: Implementations = {
  ...training,
  ...pretraining,
  ...classification,
  ...attribution,
  ...reading,
  ...generation,
  ...measuring,
  ...infer,
};
