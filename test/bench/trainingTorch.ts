/** PyTorch as a peer, in a process of its own, where the system's Python has it. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Method } from "./trainingModel.ts";
import { threads } from "./trainingStepper.ts";

export interface TorchStep {
  readonly milliseconds: number;
  /** The most memory the process has held so far. */
  readonly mebibytes: number;
}

export interface Torch {
  readonly version: string;
  step(): Promise<TorchStep>;
  stop(): void;
}

// Debian puts python3-torch beside the system's Python, which need not be the first in the path.
const python = ["/usr/bin/python3", "python3"].find((candidate) => {
  return spawnSync(candidate, ["-c", "import torch"], { stdio: "ignore" }).status === 0;
});

/** Undefined where there is no PyTorch. */
export async function startTorch(method: Method, batch: number, sequence: number): Promise<Torch | undefined> {
  if (!python) return undefined;
  const script = fileURLToPath(new URL("trainingTorch.py", import.meta.url));
  const args = [script, method, String(batch), String(sequence), String(threads)];
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] });
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
  return {
    version,
    step: () => {
      child.stdin.write("\n");
      return answer();
    },
    stop,
  };
}
