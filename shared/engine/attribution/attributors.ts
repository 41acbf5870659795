/** How each architecture's answers are explained. */
import type { ArtifactConfig } from "../training/artifact.ts";
import type { CreateAttributor } from "./attributor.ts";
import { createNgramAttributor } from "./ngramAttributor.ts";
import { createTabularAttributor } from "./tabularAttributor.ts";
import { createAdaptedAttributor, createEncoderAttributor } from "./textAttributor.ts";

export const attributors: Readonly<Record<ArtifactConfig["architecture"], CreateAttributor>> = {
  ngram: createNgramAttributor,
  encoder: createEncoderAttributor,
  tabular: createTabularAttributor,
  pretrained: createAdaptedAttributor,
};
