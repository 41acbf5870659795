/** How each architecture's answers are explained. */
import type { ArtifactConfig } from "../training/artifact.ts";
import type { CreateAttributor } from "./attributor.ts";
import { createHybridAttributor } from "./hybridAttributor.ts";
import { createNgramAttributor } from "./ngramAttributor.ts";
import { createTabularAttributor } from "./tabularAttributor.ts";
import { createAdaptedAttributor, createEncoderAttributor } from "./textAttributor.ts";

export const attributors: Readonly<Record<ArtifactConfig["architecture"], CreateAttributor>> = {
  ngram: createNgramAttributor,
  hybrid: createHybridAttributor,
  encoder: createEncoderAttributor,
  tabular: createTabularAttributor,
  pretrained: createAdaptedAttributor,
};
