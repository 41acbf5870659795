/** What travels between a process and its device process: calls of functions, and their answers. */

import type { Attribution } from "../attribution/attributor.ts";
import type { Tensor } from "../dataTypes.ts";
import type { GeneratedTokens } from "../generation/generator.ts";
import type { JsonFormat } from "../generation/json/constraint.ts";
import type { SamplingSettings } from "../generation/settings.ts";
import type { LoraConfig } from "../layers/lora.ts";
import type { PretrainingEvent, PretrainingRequest } from "../pretraining/pretrain.ts";
import type { Precision } from "../quantization/precision.ts";
import type { VariantReading } from "../quantization/variantReading.ts";
import type { BaseDirectory, TrainingEvent, TrainingRequest } from "../training/train.ts";
import type { Session } from "./session.ts";

/** A function of the device: what it is called with, what it tells while it works, and what it answers in the end. */
interface DeviceFunction<Argument, Result, Piece = never> {
  argument: Argument;
  result: Result;
  piece: Piece;
}

/** Every function a device has. Its code stands in `functions/`, under the same name. */
export interface DeviceFunctions {
  /** Cancelled, it ends after the running step, whose checkpoint is its last piece. */
  train: DeviceFunction<TrainingRequest, void, TrainingEvent>;
  /** A base that learns from texts; cancelled, as `train`. */
  pretrain: DeviceFunction<PretrainingRequest, void, PretrainingEvent>;
  /** Answers of a model that stands alone; loads it if it is not loaded. */
  predict: DeviceFunction<PredictArgument, Prediction[]>;
  /** Frees what was loaded from the file. */
  unload: DeviceFunction<{ artifact: string }, void>;
  /** Texts read by an imported base, each through the model it names; loads what is not loaded. */
  read: DeviceFunction<ReadArgument, ReadAnswer[]>;
  /** What the parts of an input add to labels; builds what computes it at the first call for a model. */
  attribute: DeviceFunction<AttributeArgument, Attribution[]>;
  /** A text written by an imported base, beside others; loads what is not loaded. Cancelled, it ends without a word. */
  generate: DeviceFunction<GenerateArgument, void, GeneratedTokens>;
  /** What a base makes of texts in a precision, and what that costs. */
  measure: DeviceFunction<MeasureArgument, VariantReading>;
  /** What an ONNX file declares; fails where it does not start. */
  inspect: DeviceFunction<{ path: string }, Pick<Session, "inputs" | "outputs">>;
  /** Outputs of an ONNX file, or why it refuses what it was given; loads it if it is not loaded. */
  infer: DeviceFunction<InferArgument, { found: Record<string, Tensor> } | { refused: string }>;
}

export type FunctionName = keyof DeviceFunctions;
export type ArgumentOf<Name extends FunctionName> = DeviceFunctions[Name]["argument"];
export type ResultOf<Name extends FunctionName> = DeviceFunctions[Name]["result"];
export type PieceOf<Name extends FunctionName> = DeviceFunctions[Name]["piece"];

/** The code of one function. `signal` aborts when the call is cancelled; then it is to end soon, in either way. */
export type Implementation<Name extends FunctionName> = (
  argument: ArgumentOf<Name>,
  call: { readonly signal: AbortSignal; readonly tell: (piece: PieceOf<Name>) => void },
) => Promise<ResultOf<Name>>;

export type Implementations<Names extends FunctionName = FunctionName> = { [Name in Names]: Implementation<Name> };

export interface PredictArgument {
  /** Path of a model file. */
  artifact: string;
  /** SHA-256 of the file, hex. */
  digest: string;
  texts: readonly string[];
}

/** One text's answer. */
export interface Prediction {
  /** float32 [classes] */
  logits: Float32Array;
  tokens: number;
  /** Whether the text holds anything the model has weights for. */
  known: boolean;
}

export interface AttributeArgument {
  /** Path of a model file. */
  artifact: string;
  /** SHA-256 of the file, hex. */
  digest: string;
  /** Of a model over an imported base. */
  base: BaseDirectory | null;
  text: string;
  /** Numbers of the labels to explain. */
  labels: readonly number[];
}

/** The file of a model over an imported base. */
export interface AdapterFile {
  /** Names the model beyond doubt: its owner, its name and its content. */
  key: string;
  path: string;
  /** SHA-256 of the file, hex. */
  digest: string;
  adapter: LoraConfig;
}

export interface ReadRow {
  /** At least one token id. */
  ids: Int32Array;
  /** Null: the base as it is. */
  model: AdapterFile | null;
  /** Logits are for models alone. */
  wants: "logits" | "vector";
}

export interface ReadArgument {
  base: BaseDirectory;
  precision: Precision;
  /** Among how many processes the threads are divided. */
  parts: number;
  /** Of what form adapters of this base are, where no row says it. */
  adapter: LoraConfig;
  /** The most that the adapters of one base may take. */
  adapterBytes: number;
  rows: readonly ReadRow[];
}

export type ReadAnswer =
  | {
      /** Of the model that the row was read through, as its slot has it. */
      key: string | null;
      /** float32: logits [classes], or the mean of the text's states [hidden] scaled to length 1. */
      values: Float32Array;
    }
  /** The row's model could not be loaded. */
  | { failed: string };

export interface GenerateArgument {
  base: BaseDirectory;
  precision: Precision;
  /** Token ids; with `maxTokens` no more than `textRoom` gives. */
  prompt: readonly number[];
  maxTokens: number;
  settings: Omit<SamplingSettings, "allowed">;
  /** Null: any text. */
  json: JsonFormat | null;
}

export interface MeasureArgument {
  /** That holds the base's files. */
  directory: string;
  /** Token ids, at least one each. */
  texts: readonly Int32Array[];
  precision: Precision;
}

export interface InferArgument {
  /** Of an ONNX file; under one path always the same content. */
  path: string;
  /** By the names it declares. */
  feeds: Readonly<Record<string, Tensor>>;
  /** Names of those wanted. */
  outputs: readonly string[];
}

export type DeviceRequest =
  | { type: "call"; call: number; name: FunctionName; argument: unknown }
  | { type: "cancel"; call: number };

export type DeviceReply =
  | { type: "piece"; call: number; piece: unknown }
  | { type: "result"; call: number; result: unknown }
  /** `code`: trying again is of no use. */
  | { type: "failed"; call: number; code?: string; message: string };
