/** A whole deployment on loopback for tests: local cloud in a temporary directory, two projects with a key each, the API. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import OpenAI, { type ClientOptions } from "openai";
import { createApp } from "../../api/app.ts";
import { listen, type Patience } from "../../api/listen.ts";
import type { RequestEvent } from "../../api/requestEvents.ts";
import { createServices } from "../../api/services/services.ts";
import type { WebhookSettings } from "../../api/services/webhookEndpoints.ts";
import { startLocalCloud } from "../../infra/local/cloud.ts";
import { type ProvisionedNames, provision } from "../../infra/local/provision.ts";
import { type AwsClients, createAwsClients } from "../../shared/aws.ts";
import { parseEncryption } from "../../shared/encryption/keyProvider.ts";
import { newId } from "../../shared/ids.ts";
import { createQueue, type Queue } from "../../shared/queue.ts";
import type { ProjectRecord } from "../../shared/schemas/project.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { newAdminKey } from "../../shared/stores/adminKeys.ts";
import { newApiKey } from "../../shared/stores/apiKeys.ts";
import { createStores, type Stores } from "../../shared/stores/stores.ts";
import { createSealer } from "../../shared/webhooks/sealer.ts";
import { createSender } from "../../shared/webhooks/sender.ts";
import { plant } from "./searchedLogs.ts";

/** What the deployment of a test seals customers' secrets with. */
export const secretKey = Buffer.alloc(32, 7);
plant(secretKey.toString("base64"));

export interface Cloud {
  aws: AwsClients;
  names: ProvisionedNames;
  stores: Stores;
  queue: Queue;
  /** What a server or worker process started on this cloud needs in its environment. */
  environment: Record<string, string>;
  /** Directory that goes away with the cloud. */
  home: string;
  close(): Promise<void>;
}

export interface Tenant {
  project: ProjectRecord;
  key: string;
  /** Of the project's organization. */
  adminKey: string;
}

export interface Deployment extends Cloud {
  /** Such as `http://127.0.0.1:41234/v1`. */
  baseURL: string;
  origin: string;
  a: Tenant;
  b: Tenant;
  keys: { a: string; b: string };
  /** Everything the API told its subscriber so far. */
  observed: RequestEvent[];
  client(options?: ClientOptions): OpenAI;
  /** A plain request with tenant A's key, for what no SDK would send. */
  fetch(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
}

export interface DeploymentOptions {
  host?: ModelHost;
  maxUploadBytes?: number;
  moderationModel?: string;
  heavyBytes?: number;
  answerWaitSeconds?: number;
  patience?: Patience;
  queue?: Pick<Queue, "send">;
  /** Where organizations' keys are kept, as `MILLRACE_ENCRYPTION_KEYS` says it; absent: nothing is sealed. */
  keysAt?: (home: string) => string;
  /** A queue for light work beside the others, as on AWS. Default: there is none. */
  hasLightQueue?: boolean;
  /** Default: webhooks may go to this machine. */
  webhooks?: WebhookSettings;
}

/** The cloud alone, provisioned, for those who bring their own processes; with where its keys are kept, it seals. */
export async function openCloud(
  keysAt?: DeploymentOptions["keysAt"],
  { hasLightQueue = false }: Pick<DeploymentOptions, "hasLightQueue"> = {},
): Promise<Cloud> {
  const home = await mkdtemp(join(tmpdir(), "millrace-test-"));
  const cloud = await startLocalCloud({ home });
  Object.assign(process.env, cloud.environment);
  const aws = createAwsClients();
  const names = await provision(aws);
  const lightQueueUrl = hasLightQueue ? await createLightQueue(aws) : undefined;
  const close = async () => {
    for (const client of [aws.s3, aws.sqs, aws.dynamodb]) client.destroy();
    await cloud.close();
    await rm(home, { recursive: true, force: true });
  };
  const environment = {
    ...cloud.environment,
    MILLRACE_TABLE: names.table,
    MILLRACE_BUCKET: names.bucket,
    MILLRACE_QUEUE_URL: names.queueUrl,
    MILLRACE_ANSWER_QUEUE_URL: names.answerQueueUrl,
    MILLRACE_DEAD_LETTER_QUEUE_URL: names.deadLetterQueueUrl,
    ...(lightQueueUrl && { MILLRACE_LIGHT_QUEUE_URL: lightQueueUrl }),
    MILLRACE_SECRET_KEYS: secretKey.toString("base64"),
    ...(keysAt && { MILLRACE_ENCRYPTION_KEYS: keysAt(home) }),
  };
  const encryption = keysAt && parseEncryption(keysAt(home));
  return {
    aws,
    names,
    stores: createStores(aws, { ...names, encryption }),
    queue: createQueue(aws.sqs, { ...names, lightQueueUrl }),
    environment,
    home,
    close,
  };
}

async function createLightQueue({ sqs }: AwsClients): Promise<string> {
  return (await sqs.send(new CreateQueueCommand({ QueueName: "millrace-light" }))).QueueUrl!;
}

export async function createTenant(stores: Stores, name: string): Promise<Tenant> {
  const project: ProjectRecord = {
    id: newId("project"),
    organization_id: newId("organization"),
    organization_name: name,
    name,
    created_at: Math.floor(Date.now() / 1000),
  };
  const { organization_id, created_at } = project;
  await stores.organizations.create({ id: organization_id, name, created_at });
  await stores.projects.create(project);
  const api = newApiKey({ name: "test", project_id: project.id });
  const admin = newAdminKey({ name: "test", organization_id });
  await Promise.all([stores.apiKeys.create(api.record), stores.adminKeys.create(admin.record)]);
  plant(api.secret, admin.secret);
  return { project, key: api.secret, adminKey: admin.secret };
}

async function refuse(): Promise<never> {
  throw new Error("This test serves no models");
}

const noModels: ModelHost = {
  classify: refuse,
  embed: refuse,
  attribute: refuse,
  generate: refuse,
  infer: refuse,
  prefetch() {},
  close: async () => {},
};

export async function deploy(options: DeploymentOptions = {}): Promise<Deployment> {
  const cloud = await openCloud(options.keysAt, options);
  const [a, b] = await Promise.all([createTenant(cloud.stores, "acme"), createTenant(cloud.stores, "other")]);
  const observed: RequestEvent[] = [];
  const services = createServices({
    stores: cloud.stores,
    queue: { ...cloud.queue, ...options.queue },
    host: options.host ?? noModels,
    observe: (event) => observed.push(event),
    maxUploadBytes: options.maxUploadBytes ?? 64 * 1024 * 1024,
    moderationModel: options.moderationModel,
    heavyBytes: options.heavyBytes ?? 0,
    answerWaitSeconds: options.answerWaitSeconds ?? 25,
    webhooks: options.webhooks ?? {
      sealer: createSealer([secretKey]),
      sender: createSender({ timeoutMilliseconds: 5000, local: true }),
      local: true,
    },
  });
  const server = await listen(createApp(services), { host: "127.0.0.1", port: 0 }, options.patience);
  const baseURL = `${server.url}/v1`;
  const close = async () => {
    await server.close(200);
    await cloud.close();
  };
  const client = (overrides: ClientOptions = {}) => new OpenAI({ apiKey: a.key, baseURL, maxRetries: 0, ...overrides });
  const plain: Deployment["fetch"] = (path, { key = a.key, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (key !== null) headers.set("authorization", `Bearer ${key}`);
    return fetch(`${server.url}${path}`, { ...init, headers });
  };
  const keys = { a: a.key, b: b.key };
  return { ...cloud, baseURL, origin: server.url, a, b, keys, observed, client, fetch: plain, close };
}
