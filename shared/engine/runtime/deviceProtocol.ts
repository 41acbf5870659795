/** What travels between a process and its device process: calls of functions, and their answers. */
import type { BaseDirectory, TrainingEvent, TrainingRequest } from "../training/train.ts";

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
  /** Loads the model file if it is not loaded, with its base where it has one. */
  predict: DeviceFunction<PredictArgument, Predictions>;
  /** Frees what was loaded from the file. */
  unload: DeviceFunction<{ artifact: string }, void>;
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
  base: BaseDirectory | null;
  texts: readonly string[];
}

export interface Predictions {
  labels: string[];
  predictions: Prediction[];
}

/** One text's answer. */
export interface Prediction {
  /** By label, summing to 1, temperature applied. */
  probabilities: number[];
  tokens: number;
  known: boolean;
}

export type DeviceRequest =
  | { type: "call"; call: number; name: FunctionName; argument: unknown }
  | { type: "cancel"; call: number };

export type DeviceReply =
  | { type: "piece"; call: number; piece: unknown }
  | { type: "result"; call: number; result: unknown }
  /** `code`: trying again is of no use. */
  | { type: "failed"; call: number; code?: string; message: string };
