/** What a suite of benchmarks is given, and what it answers. */
import type { Ending } from "../examples/withMillrace.ts";
import type { Measured } from "./result.ts";

export interface Bench {
  emit(measured: Omit<Measured, "suite">): void;
  /** How far it has got, for people. */
  tell(line: string): void;
  /** Of a suite that has parts, the only one to run; absent: all of them. */
  readonly part?: string | undefined;
  /** How many times what depends on luck is repeated; absent: as the suite has it. */
  readonly seeds?: number | undefined;
  /** What a suite whose course is drawn begins with; absent: as the suite has it. */
  readonly seed?: number | undefined;
  /** How long a suite that watches something over time is to do so, where it is not to choose itself. */
  readonly minutes?: number | undefined;
  /** What jobs take a worker, for a suite that simulates them; absent: as they were measured. */
  readonly jobSeconds?: readonly number[] | undefined;
}

export type Suite = (bench: Bench) => Promise<Ending>;
