/** Everything that a customer may have said to a deployment, planted through its API by a tenant of it. */
import OpenAI, { toFile } from "openai";
import type { Log } from "../../shared/log.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { Deployment, Tenant } from "./deployment.ts";
import { type Garden, marker, plantings } from "./plantings.ts";
import { addModel } from "./records.ts";
import { addBase } from "./tinyCheckpoint.ts";
import { workerContext, workOn } from "./workerTasks.ts";

export interface Planted {
  what: string;
  read(): Promise<unknown>;
  then: "refused" | "told";
}

export interface Planter {
  deployment: Deployment;
  host: ModelHost;
  /** Of the worker. */
  log: Log;
}

export const heavyBase = "heavy-base";

/** Whose answers are all recorded. */
export async function plantAll(planter: Planter, tenant: Tenant, count = Number.POSITIVE_INFINITY): Promise<Planted[]> {
  const garden = await openGarden(planter, tenant);
  const planted: Planted[] = [];
  for (const [what, planting] of Object.entries(plantings).slice(0, count)) {
    const [read, then = "refused"] = await planting(garden);
    planted.push({ what, read, then });
  }
  return planted;
}

async function openGarden({ deployment, host, log }: Planter, tenant: Tenant): Promise<Garden> {
  const { stores, baseURL } = deployment;
  const project_id = tenant.project.id;
  await stores.projects.update(project_id, { inference_records: "full" });
  const { id: model } = await addModel(stores, tenant);
  await addModel(stores, tenant, { id: `${model}-of-rows`, columns: [{ name: marker, kind: "number" }] });
  const { id: base_model, digest, files } = await addBase(stores, heavyBase, { "config.json": "{}" });
  await addModel(stores, tenant, { id: `${model}-heavy`, base_model, base: { digest, files } });
  const client = new OpenAI({ apiKey: tenant.key, baseURL, maxRetries: 0 });
  const context = { ...workerContext(deployment, host), log };
  return {
    ...{ client, model, hook: `${deployment.origin}/healthz` },
    get: (path) => client.get(path),
    post: (path, body, key) => client.post(path, { ...(body && { body }), ...(key && { idempotencyKey: key }) }),
    async upload(lines, purpose = "fine-tune") {
      const text = typeof lines === "string" ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      return (await client.files.create({ file: await toFile(Buffer.from(text), `${marker}.jsonl`), purpose })).id;
    },
    work: (kind, id) => workOn(context, kind, { id, project_id }),
    async events() {
      const due = await stores.webhookEvents.overdue(Date.now(), 1000);
      return due.filter((event) => event.project_id === project_id).map(({ id }) => id);
    },
  };
}
