/** The owner of a spam filter: names the task, says when it learns and what it must pass, and looks on. */
import { setTimeout as wait } from "node:timers/promises";
import type OpenAI from "openai";
import { toFile } from "openai";
import type { DatasetVersion } from "../../../shared/schemas/dataset.ts";
import type { Promotion } from "../../../shared/schemas/promotion.ts";
import { fineTune, follow } from "../customer.ts";
import type { Mail } from "../spam/mails.ts";

export const base = "millrace-ngram";
const seed = 1;
const pollMilliseconds = 300;

export interface Filter {
  client: OpenAI;
  /** Of the function, and of its dataset. */
  name: string;
  /** File of what was known at first. */
  known: string;
  /** Its first model. */
  model: string;
}

export async function upload(client: OpenAI, mails: readonly Mail[]): Promise<string> {
  const jsonl = mails.map(({ text, label }) => JSON.stringify({ text, label })).join("\n");
  const file = await toFile(Buffer.from(jsonl), "mails.jsonl");
  return (await client.files.create({ file, purpose: "fine-tune" })).id;
}

/** Until `look` finds something. */
async function until<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await wait(pollMilliseconds);
  }
}

/** A dataset of what is known, half of it set aside, a first model of the rest, and a function that it answers. */
export async function nameTask(client: OpenAI, name: string, mails: readonly Mail[]): Promise<Filter> {
  await client.post("/metrics", { body: { name: "accepted", type: "boolean", level: "inference", optimize: "max" } });
  const known = await upload(client, mails);
  const sources = [{ type: "file", file_id: known }];
  await client.post(`/datasets/${name}/versions`, { body: { sources, splits: { validation: 0, test: 0.5 } } });
  const { id } = await until(async () => {
    const found = await client.get<DatasetVersion>(`/datasets/${name}/versions/1`);
    if (found.status === "failed") throw new Error(found.error!.message);
    return found.status === "ready" ? found : undefined;
  });
  const job = await client.fineTuning.jobs.create({ model: base, training_file: id, suffix: "first", seed });
  const { fine_tuned_model } = await follow(client, job.id, () => {});
  await client.post("/functions", { body: { name, variants: [{ name: "first", model: fine_tuned_model! }] } });
  return { client, name, known, model: fine_tuned_model! };
}

export interface Wishes {
  /** Judged answers that begin a turn; absent: none does. */
  newRows?: number;
  /** Files of further mails to learn from. */
  files?: string[];
  hyperparameters?: Record<string, number>;
}

/** What the filter learns from: what was known, and what users say of its answers. */
export function putPolicy({ client, name, known }: Filter, { newRows, files = [], hyperparameters }: Wishes) {
  const sources = [
    ...[known, ...files].map((file_id) => ({ type: "file", file_id })),
    { type: "inferences", function: name, approved_by: "accepted" },
  ];
  const body = {
    ...(newRows !== undefined && { trigger: { new_rows: newRows } }),
    recipe: { dataset: name, sources, splits: { validation: 0, test: 0.2 } },
    test_set: { dataset: name, version: 1 },
    training: { model: base, seed, ...(hyperparameters && { hyperparameters }) },
    metric_name: "accepted",
    // Two hundred rows set aside cannot prove less than some points.
    gate: { margin: 0.05, recent_items: 50 },
  };
  return client.put(`/functions/${name}/policy`, { body });
}

export const begin = ({ client, name }: Filter) => client.post<Promotion>(`/functions/${name}/turn`);

const over = ["promoted", "rejected", "rolled_back", "held"];

/** The turn of this number, when it is over. */
export function settled({ client, name }: Filter, turn: number): Promise<Promotion> {
  return until(async () => {
    const { data } = await client.get<{ data: Promotion[] }>(`/functions/${name}/promotions?limit=1`);
    const [latest] = data;
    return latest && latest.turn >= turn && over.includes(latest.status) ? latest : undefined;
  });
}

/** A model of other rows, for comparison. */
export async function otherModel(client: OpenAI, rows: readonly Mail[], suffix: string): Promise<string> {
  const { id } = await fineTune(client, rows, { model: base, suffix, seed });
  return (await follow(client, id, () => {})).fine_tuned_model!;
}
