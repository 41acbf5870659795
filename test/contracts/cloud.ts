/**
 * Where the contract suites run: a local cloud of their own in a temporary directory, or, with
 * MILLRACE_CONTRACT_ENDPOINT=aws, the AWS account of the environment. Either way plain clients reach it.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startLocalCloud } from "../../infra/local/cloud.ts";

export const onAws = process.env.MILLRACE_CONTRACT_ENDPOINT === "aws";

const endings: (() => Promise<void>)[] = [];
after(async () => {
  for (const ending of endings.reverse()) await ending();
});

/** Runs `ending` when the file's tests are through, the latest given first: queues go before the cloud they are in. */
export function atEnd(ending: () => Promise<void>): void {
  endings.push(ending);
}

/** Call it before making clients; the cloud goes when the file's tests are through. */
export async function openCloud(): Promise<void> {
  if (onAws) return;
  const home = await mkdtemp(join(tmpdir(), "millrace-contracts-"));
  const cloud = await startLocalCloud({ home, ttlSweepMilliseconds: 100 });
  Object.assign(process.env, cloud.environment);
  atEnd(async () => {
    await cloud.close();
    await rm(home, { recursive: true });
  });
}

/** Lower case and hyphens only: valid for buckets, queues and tables. */
export function uniqueName(kind: string): string {
  return `millrace-contract-${kind}-${randomUUID().slice(0, 13)}`;
}

/** Retries what AWS promises only eventually. The local cloud is expected to pass at once, or a few ticks later. */
export async function eventually<T>(attempt: () => Promise<T>, seconds = onAws ? 120 : 5): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(onAws ? 1000 : 20);
    }
  }
}
