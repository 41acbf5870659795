/** transformers.js as a peer: fetched when it is first needed, beside the project and no part of it, in a process of its own. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { installPackage } from "../../infra/models/recipes/npmPackage.ts";
import { benchHome } from "./servingBase.ts";
import type { PeerAnswers, PeerCalls } from "./servingPeerProcess.ts";
import type { Bench } from "./suite.ts";
import { threads } from "./trainingStepper.ts";

const library = "@huggingface/transformers";
const version = "4.3.1";
const title = `transformers.js ${version}`;

export interface Peer {
  readonly title: string;
  /** Answers about the model of a folder under the root that the peer was started with. */
  ask<Name extends keyof PeerCalls>(name: Name, call: PeerCalls[Name]): Promise<PeerAnswers[Name]>;
  stop(): void;
}

/** Undefined, having said why, where it cannot be had. `root`: folders of models as transformers.js reads them. */
export async function startPeer(root: string, tell: Bench["tell"]): Promise<Peer | undefined> {
  const prefix = join(benchHome, `transformers-${version}`);
  const refusal = install(prefix, tell);
  if (refusal) return void tell(`serving: nothing to compare with, ${refusal}`);
  const script = fileURLToPath(new URL("servingPeerProcess.ts", import.meta.url));
  const child = spawn(process.execPath, [script, join(prefix, "package.json"), root, String(threads)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // Whoever is interrupted does not leave it running.
  const stop = () => void child.kill();
  process.once("exit", stop);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    title,
    async ask(name, call) {
      child.stdin.write(`${JSON.stringify({ name, call })}\n`);
      const line = await lines.next();
      if (line.done) throw new Error(`${title} ended before it answered`);
      // Its threads spin for a while after a call; whoever is timed next should not pay for that.
      await pause(settling);
      return JSON.parse(line.value);
    },
    stop() {
      process.off("exit", stop);
      stop();
    },
  };
}

const settling = 100;

/** Why it cannot be used, if so. */
function install(prefix: string, tell: Bench["tell"]): string | undefined {
  try {
    installPackage(prefix, { name: library, version }, (line) => tell(`serving: ${line}`));
  } catch (error) {
    return (error as Error).message;
  }
  // Its install script would fetch only what GPUs need.
  const native = join(prefix, "node_modules/onnxruntime-node/bin/napi-v6", process.platform, process.arch);
  return existsSync(join(native, "onnxruntime_binding.node"))
    ? undefined
    : `onnxruntime-node has no native code in ${native}`;
}
