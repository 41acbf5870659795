/** What travels between a process and a replica's process. */
import type { Tensor } from "../dataTypes.ts";
import type { SessionOptions } from "../runtime/session.ts";

export type Tensors = Readonly<Record<string, Tensor>>;

/** Runs of one model, one behind the other. What a run is not fed comes from what the replica holds. */
export interface ReplicaRun {
  readonly model: string;
  /** What each run is fed besides. */
  readonly batches: readonly Tensors[];
  /** By output, the input of the next run that it becomes. */
  readonly carry: Readonly<Record<string, string>>;
  /** Whether the replica holds on to what it carried, once all runs are done; else it is as before. */
  readonly keep: boolean;
  /** Outputs to return of every run, and of the last one. */
  readonly each: readonly string[];
  readonly last: readonly string[];
}

export interface ReplicaResults {
  readonly each: readonly Tensors[];
  readonly last: Tensors;
}

export type ReplicaWork =
  | { readonly type: "load"; readonly name: string; readonly model: Uint8Array; readonly options: SessionOptions }
  /** Holds tensors under their names, in place of what it held under them. */
  | { readonly type: "hold"; readonly tensors: Tensors }
  | { readonly type: "get"; readonly names: readonly string[] }
  | { readonly type: "run"; readonly request: ReplicaRun };

export type ReplicaRequest = { readonly call: number; readonly work: ReplicaWork };

export type ReplicaReply =
  | { readonly call: number; readonly done: ReplicaResults }
  | { readonly call: number; readonly failed: string };
