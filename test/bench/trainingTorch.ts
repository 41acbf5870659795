/** PyTorch as a peer, in processes of its own, where the system's Python has it. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Method, methods } from "./trainingModel.ts";
import { type Spent, threads } from "./trainingStepper.ts";

interface Setting {
  readonly name: string;
  /** 0: as many as PyTorch takes by itself. */
  readonly threads: number;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * As whoever installs it finds it, whose products have both cores and the rest may have one; asked for all cores, where
 * the threads of the rest spin while they wait and take the cores from those of the products; and what helps it.
 */
const settings = [
  { name: "as installed", threads: 0, environment: {} },
  { name: `${threads} threads`, threads, environment: {} },
  { name: `${threads} threads that sleep while they wait`, threads, environment: { OMP_WAIT_POLICY: "PASSIVE" } },
  { name: "1 thread", threads: 1, environment: { OPENBLAS_NUM_THREADS: "1" } },
] as const satisfies readonly Setting[];

export const [installed, allCores] = [settings[0].name, settings[1].name];

export interface Torch {
  readonly method: Method;
  readonly setting: (typeof settings)[number]["name"];
  /** Release and setting, for people. */
  readonly title: string;
  step(): Promise<Spent>;
  /** The most memory the process has held so far, in MiB. */
  peak(): number;
  stop(): void;
}

// Debian puts python3-torch beside the system's Python, which need not be the first in the path.
const python = ["/usr/bin/python3", "python3"].find((candidate) => {
  return spawnSync(candidate, ["-c", "import torch"], { stdio: "ignore" }).status === 0;
});

/** A process for each method and setting; none where there is no PyTorch. */
export async function startTorch(batch: number, sequence: number): Promise<Torch[]> {
  if (!python) return [];
  const cases = methods.flatMap((method) => settings.map((setting) => [method, setting] as const));
  return Promise.all(cases.map(([method, setting]) => start(python, method, setting, [batch, sequence])));
}

/** Threads that spin go on for a while after a step; whoever is timed next should not pay for that. */
const settling = 100;

async function start(python: string, method: Method, setting: (typeof settings)[number], sizes: readonly number[]) {
  const script = fileURLToPath(new URL("trainingTorch.py", import.meta.url));
  const child = spawn(python, [script, method, ...[...sizes, setting.threads].map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...setting.environment },
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
  const found = await answer();
  const count = setting.threads === 0 ? ` (intra-op threads: ${found.threads})` : "";
  let peak = 0;
  return {
    method,
    setting: setting.name,
    title: `PyTorch ${found.version} ${setting.name}${count}`,
    async step() {
      child.stdin.write("\n");
      const { wall, processor, mebibytes } = await answer();
      peak = mebibytes;
      await pause(settling);
      return { wall, processor };
    },
    peak: () => peak,
    stop,
  };
}
