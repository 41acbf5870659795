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
  const folder = install(tell);
  if (!folder) return undefined;
  const script = fileURLToPath(new URL("servingPeerProcess.ts", import.meta.url));
  const child = spawn(process.execPath, [script, join(folder, "package.json"), root, String(threads)], {
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

/** Where the library lies; undefined, having said why, where it cannot be used. */
function install(tell: Bench["tell"]): string | undefined {
  const without = (reason: string) => void tell(`serving: nothing to compare with, ${reason}`);
  try {
    const folder = installPackage(join(benchHome, "npm"), { name: library, version }, (line) =>
      tell(`serving: ${line}`),
    );
    // Its install script would fetch only what GPUs need.
    const native = join(folder, "../../onnxruntime-node/bin/napi-v6", process.platform, process.arch);
    const isThere = existsSync(join(native, "onnxruntime_binding.node"));
    return isThere ? folder : without(`onnxruntime-node has no native code in ${native}`);
  } catch (error) {
    return without((error as Error).message);
  }
}
