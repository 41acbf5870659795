/** Everything on one machine: the local cloud in this process, the API and one worker as its children. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createAwsClients } from "../../shared/aws.ts";
import { givingBack } from "../../shared/engine/runtime/device.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { bootstrap } from "../bootstrap.ts";
import { installShipped } from "../models/shipped.ts";
import { startLocalCloud } from "./cloud.ts";
import { provision } from "./provision.ts";
import { type LocalState, readState, secretKey, writeState } from "./state.ts";

export interface MillraceOptions {
  /** State directory. */
  home: string;
  /** 0: the port of the last start if it is free, else any. */
  port: number;
  /** Further environment for the API and the worker. */
  environment?: Record<string, string>;
}

export interface Millrace {
  /** Such as `http://127.0.0.1:41234/v1`. */
  baseUrl: string;
  apiKey: string;
  /** Only when it was made by this start: it is kept nowhere. */
  adminKey: string | undefined;
  stop(): Promise<void>;
}

export async function startMillrace({ home, port, environment = {} }: MillraceOptions): Promise<Millrace> {
  mkdirSync(home, { recursive: true });
  const cloud = await startLocalCloud({ home });
  Object.assign(process.env, cloud.environment);
  const aws = createAwsClients();
  const names = await provision(aws);
  const last = readState(home);
  const stores = createStores(aws, names);
  const kept = { apiKey: last?.api_key, adminKeyId: last?.admin_key_id };
  const [begun] = await Promise.all([bootstrap(stores, kept), installShipped(stores)]);
  const { apiKey, adminKey, adminKeyId: admin_key_id } = begun;
  const cloudEnvironment = {
    ...cloud.environment,
    MILLRACE_TABLE: names.table,
    MILLRACE_BUCKET: names.bucket,
    MILLRACE_QUEUE_URL: names.queueUrl,
    MILLRACE_ANSWER_QUEUE_URL: names.answerQueueUrl,
    MILLRACE_DEAD_LETTER_QUEUE_URL: names.deadLetterQueueUrl,
    MILLRACE_SECRET_KEYS: process.env.MILLRACE_SECRET_KEYS ?? secretKey(home),
  };
  const childEnvironment = { ...process.env, MILLRACE_LOG_LEVEL: "warn", ...cloudEnvironment, ...environment };
  // Who presses Ctrl-C does not wait for long answers.
  const hurried = { MILLRACE_STOP_SECONDS: "10" };
  const api = await startApi({ ...givingBack, ...hurried, ...childEnvironment }, port, last);
  const worker = keepAlive(() => forkChild("../../workers/main.ts", childEnvironment));
  const baseUrl = `http://127.0.0.1:${api.port}/v1`;
  writeState(home, {
    ...{ base_url: baseUrl, api_key: apiKey, admin_key_id },
    ...{ pid: process.pid, environment: cloudEnvironment },
  });
  return {
    baseUrl,
    apiKey,
    adminKey,
    async stop() {
      await Promise.all([api.stop(), worker.stop()]);
      for (const client of [aws.s3, aws.sqs, aws.dynamodb]) client.destroy();
      await cloud.close();
    },
  };
}

interface Child {
  process: ChildProcess;
  /** The first message it sends: it is up. */
  ready: Promise<Record<string, unknown>>;
  ended: Promise<void>;
}

function forkChild(module: string, environment: NodeJS.ProcessEnv): Child {
  const child = fork(new URL(module, import.meta.url), { env: environment, execArgv: [] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    child.once("message", (message) => resolve(message as Record<string, unknown>));
    child.once("exit", (code) => reject(new Error(`${module} ended with code ${code} before it was up`)));
  });
  ready.catch(() => {});
  return { process: child, ready, ended };
}

async function startApi(environment: NodeJS.ProcessEnv, asked: number, last: LocalState | undefined) {
  const start = (port: number) => {
    return forkChild("../../api/server.ts", { ...environment, MILLRACE_PORT: String(port) });
  };
  const lastPort = last ? Number(new URL(last.base_url).port) : 0;
  const first = start(asked || lastPort);
  // Only a port that nobody asked for may be exchanged for another.
  const up = await first.ready.then(
    () => first,
    (error) => (asked || !lastPort ? Promise.reject(error) : start(0)),
  );
  const port = Number((await up.ready).listening);
  const kept = keepAlive(() => start(port), up);
  return { port, stop: kept.stop };
}

/** A child that dies is started again, a little later each time in a row. */
function keepAlive(start: () => Child, first = start()): { stop(): Promise<void> } {
  let child = first;
  let stopped = false;
  let pauseMilliseconds = 100;
  const watch = async (): Promise<void> => {
    const startedAt = Date.now();
    await child.ended;
    if (stopped) return;
    pauseMilliseconds = Date.now() - startedAt > 60_000 ? 100 : Math.min(pauseMilliseconds * 2, 10_000);
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
    if (stopped) return;
    child = start();
    return watch();
  };
  void watch();
  return {
    async stop() {
      stopped = true;
      child.process.kill("SIGTERM");
      await child.ended;
    },
  };
}
