/** What a suite of benchmarks is given, and what it answers. */
import type { Ending } from "../examples/withMillrace.ts";
import type { Measured } from "./result.ts";

export interface Bench {
  emit(measured: Omit<Measured, "suite">): void;
  /** How far it has got, for people. */
  tell(line: string): void;
}

export type Suite = (bench: Bench) => Promise<Ending>;
