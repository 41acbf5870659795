/** Batches for tests: asked for through the SDK, worked on in this process with a host of the test's own. */
import OpenAI, { toFile } from "openai";
import { parseConfig } from "../../shared/config.ts";
import { createModelLookUp } from "../../shared/inference/modelLookUp.ts";
import { createLog } from "../../shared/log.ts";
import { createBaseFiles } from "../../shared/serving/baseFiles.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { Outcome, Tasks } from "../../workers/task.ts";
import type { WorkerContext } from "../../workers/tasks/context.ts";
import { createTasks } from "../../workers/tasks/tasks.ts";
import type { Deployment } from "./deployment.ts";
import type { Sdk } from "./sdks.ts";

export interface OutputLine {
  id: string;
  custom_id: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of any endpoint, read by the tests
  response: { status_code: number; request_id: string; body: any } | null;
  error: { code: string; message: string } | null;
}

/** What a worker works with, but for the queue's consumer and devices to train on. */
export function workerContext(deployment: Deployment, host: ModelHost): WorkerContext {
  const config = {
    ...parseConfig(deployment.environment),
    leaseSeconds: 2,
    pollSeconds: 0.05,
    logLevel: "silent" as const,
  };
  const { stores, queue } = deployment;
  return {
    stores,
    queue,
    config,
    log: createLog(config, "worker"),
    baseFiles: createBaseFiles(stores.objects, deployment.home),
    inference: { models: createModelLookUp(stores), host },
    startDevice: () => {
      throw new Error("This test trains nothing");
    },
  };
}

/** Works on a row as if its message had come. */
export function workOn(
  context: WorkerContext,
  kind: keyof Tasks,
  row: { id: string; project_id: string },
  shutdown = new AbortController().signal,
): Promise<Outcome> {
  return createTasks(context)[kind]({ kind, project_id: row.project_id, id: row.id }, shutdown);
}

export const decisionLine = (custom_id: string, model: string, input: string, changes: object = {}) => ({
  custom_id,
  method: "POST",
  url: "/v1/decisions",
  body: {
    model,
    input,
    questions: [{ type: "choice", instructions: "Which?", choices: [{ value: "spam" }, { value: "ham" }] }],
  },
  ...changes,
});

export function batchesOf(deployment: Deployment, { apiKey = deployment.keys.a, Client = OpenAI as Sdk } = {}) {
  const client = new Client({ apiKey, baseURL: deployment.baseURL, maxRetries: 0 });
  return {
    client,
    async create(lines: readonly unknown[] | string, changes: object = {}) {
      const text = typeof lines === "string" ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      const file = await client.files.create({ file: await toFile(Buffer.from(text), "in.jsonl"), purpose: "batch" });
      return await client.batches.create({
        input_file_id: file.id,
        // What the SDK's types do not know yet.
        endpoint: "/v1/decisions" as "/v1/embeddings",
        completion_window: "24h",
        ...changes,
      });
    },
    /** Of an output or error file. */
    async lines(file: string | null | undefined): Promise<OutputLine[]> {
      if (!file) return [];
      const text = await (await client.files.content(file)).text();
      return text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as OutputLine);
    },
  };
}
