/** The baseline anyone would try first, run beside ours where scikit-learn is there. */
import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DataSet } from "./dataSets.ts";

/** By what the texts are cut into features: see `linearSvc.py`. */
export type Analyzer = "words" | "characters";

export interface LinearSvc {
  /** 0 to 1. */
  accuracy: number;
  /** Of each row of the test, its label. */
  predictions: string[];
  /** Of training. */
  seconds: number;
  version: string;
}

// Debian puts python3-sklearn beside the system's Python, which need not be the first in the path.
export const python = ["/usr/bin/python3", "python3"].find((candidate) => {
  return spawnSync(candidate, ["-c", "import sklearn"], { stdio: "ignore" }).status === 0;
});

/** Undefined where there is no scikit-learn. */
export async function linearSvc(
  { train, test }: Pick<DataSet, "train" | "test">,
  analyzer: Analyzer,
): Promise<LinearSvc | undefined> {
  if (!python) return undefined;
  const script = fileURLToPath(new URL("linearSvc.py", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = execFile(python, [script], { maxBuffer: 2 ** 26 }, (error, output) => {
      if (error) reject(error);
      else resolve(JSON.parse(output) as LinearSvc);
    });
    // Whoever is interrupted does not leave it running.
    process.once("exit", () => child.kill());
    child.stdin!.end(JSON.stringify({ train, test, analyzer }));
  });
}
