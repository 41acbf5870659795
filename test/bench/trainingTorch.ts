/** PyTorch as a peer, in a process of its own, where the system's Python has it. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Method, methods } from "./trainingModel.ts";
import { threads } from "./trainingStepper.ts";

export interface Torch {
  readonly method: Method;
  readonly threads: number;
  readonly version: string;
  /** Milliseconds. */
  step(): Promise<number>;
  /** The most memory the process has held so far, in MiB. */
  peak(): number;
  stop(): void;
}

// Debian puts python3-torch beside the system's Python, which need not be the first in the path.
const python = ["/usr/bin/python3", "python3"].find((candidate) => {
  return spawnSync(candidate, ["-c", "import torch"], { stdio: "ignore" }).status === 0;
});

/**
 * A process for each method and for one thread and all, as the second may make it slower; none where there is no
 * PyTorch. Like our own sessions' threads, theirs do not spin while they wait: on a machine that others use too, that
 * made a step three times as slow.
 */
export async function startTorch(batch: number, sequence: number): Promise<Torch[]> {
  if (!python) return [];
  const cases = methods.flatMap((method) => [...new Set([1, threads])].map((count) => [method, count] as const));
  return Promise.all(cases.map(([method, count]) => start(python, method, count, [batch, sequence])));
}

async function start(python: string, method: Method, threads: number, sizes: readonly number[]): Promise<Torch> {
  const script = fileURLToPath(new URL("trainingTorch.py", import.meta.url));
  const child = spawn(python, [script, method, ...[...sizes, threads].map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_WAIT_POLICY: "PASSIVE" },
  });
  // Whoever is interrupted does not leave it running.
  const stop = () => void child.kill();
  process.once("exit", stop);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await lines.next();
    if (line.done) throw new Error("PyTorch ended before it answered");
    return JSON.parse(line.value);
  };
  const { version } = await answer();
  let peak = 0;
  return {
    method,
    threads,
    version,
    async step() {
      child.stdin.write("\n");
      const { milliseconds, mebibytes } = await answer();
      peak = mebibytes;
      return milliseconds;
    },
    peak: () => peak,
    stop,
  };
}
