/** Why a model gives a label: what each token, or each column, of an input adds to the label's logit. */
import type { Tensor } from "../dataTypes.ts";
import type { ArtifactConfig } from "../training/artifact.ts";
import type { Span } from "./spans.ts";

/** A stretch of the text, and what it adds. */
export interface TokenAttribution extends Span {
  attribution: number;
}

/** A column, and what its cell adds. */
export interface ColumnAttribution {
  name: string;
  attribution: number;
}

export interface Attribution {
  /** Of the input. */
  logit: number;
  /** Of what the input is compared with: it knows nothing. All attributions add up to the difference. */
  baselineLogit: number;
  parts: { tokens: TokenAttribution[] } | { columns: ColumnAttribution[] };
}

/** Does some work when its time has come. */
export type Turn = <Result>(work: () => Promise<Result>) => Promise<Result>;

export const atOnce: Turn = (work) => work();

export interface Attributor {
  /** For each of the labels, which are numbered as the model's are. `turn` is asked to make each run of a session. */
  attribute(text: string, labels: readonly number[], turn?: Turn): Promise<Attribution[]>;
  release(): Promise<void>;
}

export interface AttributorOptions {
  config: ArtifactConfig;
  weights: ReadonlyMap<string, Tensor>;
  threads: number;
  /** Directory of the imported base; null where there is none. */
  base: string | null;
}

export type CreateAttributor = (options: AttributorOptions) => Promise<Attributor>;
