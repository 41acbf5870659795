/** Batches for tests: asked for and read through the SDK. */
import OpenAI, { toFile } from "openai";
import type { Deployment } from "./deployment.ts";
import type { Sdk } from "./sdks.ts";

export interface OutputLine {
  id: string;
  custom_id: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of any endpoint, read by the tests
  response: { status_code: number; request_id: string; body: any } | null;
  error: { code: string; message: string } | null;
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
