/** A deployment with something of every kind in two projects, and what is known of it: ids by what fields and paths call them. */
import { itemId } from "../../shared/stores/labelItems.ts";
import { addAnswer } from "../support/answers.ts";
import { type Deployment, deploy, type Tenant } from "../support/deployment.ts";
import { addEvalRun } from "../support/evals.ts";
import { fakeHost } from "../support/fakeHost.ts";
import {
  addCheckpoint,
  addEpisode,
  addInference,
  addLabelQueue,
  addModel,
  addOnnx,
  buildVersion,
} from "../support/records.ts";
import { addBase } from "../support/tinyCheckpoint.ts";

export type Side = "a" | "b";

/** Other names of fields and paths for what a collection holds. */
const collections: Readonly<Record<string, RegExp>> = {
  files: /^(.*file(_id)?s?|id)$/,
  models: /^(model|models|base_model|fine_tuned_model|winner|control|checkpoints)$/,
  jobs: /^(job|job_id)$/,
  projects: /^(project|project_id|project_ids)$/,
  users: /^(user|user_id|user_ids)$/,
  functions: /^(function|function_name)$/,
  datasets: /^(dataset)$/,
  metrics: /^(metric|metric_name)$/,
  inferences: /^(inference_id|previous_response_id)$/,
  episodes: /^(episode_id)$/,
  label_queues: /^(queue_id)$/,
  label_items: /^(item_id)$/,
  evals: /^(eval_id)$/,
  api_keys: /^(key_id|api_key_ids)$/,
  runs: /^(run_id)$/,
  variants: /^(variant|name)$/,
};

export class World {
  readonly deployment: Deployment;
  readonly #known: Record<Side, Map<string, string[]>> = { a: new Map(), b: new Map() };

  private constructor(deployment: Deployment) {
    this.deployment = deployment;
  }

  static async open(): Promise<World> {
    const host = fakeHost();
    const world = new World(await deploy({ host, maxUploadBytes: 256 * 1024, answerWaitSeconds: 0.05 }));
    await addBase(world.deployment.stores, "tiny-bert", { "config.json": "{}" });
    await addOnnx(world.deployment.stores, "onnx");
    for (const side of ["a", "b"] as const) await world.#furnish(side, host.labels);
    return world;
  }

  tenant(side: Side): Tenant {
    return this.deployment[side];
  }

  /** Of a project's own things, those that such a field or collection may mean. */
  knownTo(side: Side, name: string): readonly string[] {
    const own = this.#known[side];
    const collection = own.has(name) ? name : Object.keys(collections).find((each) => collections[each]!.test(name));
    return own.get(collection ?? "") ?? [];
  }

  /** Remembers the last hundred of a collection. */
  learn(side: Side, collection: string, id: string): void {
    const known = this.#known[side].get(collection) ?? [];
    this.#known[side].set(collection, [...known.slice(-99), id]);
  }

  async #furnish(side: Side, labels: Map<string, readonly string[]>): Promise<void> {
    const { stores } = this.deployment;
    const tenant = this.tenant(side);
    const { digest, files } = (await stores.bases.get("tiny-bert"))!;
    const model = await addModel(stores, tenant, { base_model: "tiny-bert", base: { digest, files } });
    labels.set(model.id, ["ham", "spam", "safe"]);
    const dataset = `${side}-intents`;
    await buildVersion(stores, tenant, dataset);
    const queue = await addLabelQueue(stores, tenant);
    const episode = await addEpisode(stores, tenant);
    const inference = await addInference(stores, tenant, { episode_id: episode, input: { a: 1 }, output: { b: 2 } });
    const evaluated = await this.#post(side, "/v1/evals", {
      data_source_config: { type: "custom", item_schema: {} },
      testing_criteria: [
        {
          type: "string_check",
          name: "right",
          input: "{{sample.output_text}}",
          reference: "{{item.label}}",
          operation: "eq",
        },
      ],
    });
    const outputs = ["a", "b"].map((label) => ({ item: { label }, output: label }));
    const run = await addEvalRun(stores, tenant, evaluated, outputs);
    const [item] = await stores.evalRuns.items({ project_id: tenant.project.id, id: run }, { limit: 1 });
    const variants = ["first", "second"].map((name) => ({ name, model: model.id }));
    await this.#post(side, "/v1/functions", { name: `${side}-fn`, variants });
    await this.#post(side, "/v1/metrics", {
      name: `${side}-solved`,
      type: "boolean",
      level: "inference",
      optimize: "max",
    });
    await this.#post(side, "/v1/aliases", { name: `${side}-prod`, model: model.id });
    const file = await this.#upload(side);
    const job = await this.#post(side, "/v1/fine_tuning/jobs", { model: "millrace-ngram", training_file: file });
    await addCheckpoint(stores, tenant, job, 1);
    const found: Record<string, string> = {
      ...{ models: model.id, datasets: dataset, label_queues: queue.id, label_items: itemId(queue.id, 0) },
      ...{ episodes: episode, inferences: inference.id, completions: inference.id, evals: evaluated, runs: run },
      ...{ output_items: item!.id, functions: `${side}-fn`, metrics: `${side}-solved`, aliases: `${side}-prod` },
      ...{ files: file, jobs: job, projects: tenant.project.id, answers: (await addAnswer(stores, tenant)).id },
      ...{ variants: "first", versions: "1", version: "1" },
    };
    for (const [collection, id] of Object.entries(found)) this.learn(side, collection, id);
  }

  async #post(side: Side, path: string, body: object): Promise<string> {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", key: this.tenant(side).key, headers, body: JSON.stringify(body) };
    return ((await (await this.deployment.fetch(path, init)).json()) as { id: string }).id;
  }

  async #upload(side: Side): Promise<string> {
    const form = new FormData();
    form.append("purpose", "fine-tune");
    form.append("file", new Blob(['{"text":"a","label":"b"}\n']), "a.jsonl");
    const sent = await this.deployment.fetch("/v1/files", { method: "POST", key: this.tenant(side).key, body: form });
    return ((await sent.json()) as { id: string }).id;
  }
}
