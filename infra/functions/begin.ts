/**
 * Runs with every deployment: stores the bases that come with Millrace, and at the first one makes the first project, its
 * key and an admin key, which are told to nobody but the secret they are kept in.
 */
import { join } from "node:path";
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createAwsClients } from "../../shared/aws.ts";
import { parseConfig } from "../../shared/config.ts";
import { createStores, type Stores } from "../../shared/stores/stores.ts";
import { bootstrap } from "../bootstrap.ts";
import { installShipped } from "../models/shipped.ts";

export async function handler(): Promise<void> {
  const { FIRST_KEYS_SECRET: secret, STAGE: name, LAMBDA_TASK_ROOT: task = "." } = process.env;
  if (!secret || !name) throw new Error("FIRST_KEYS_SECRET and STAGE are not set");
  const stores = createStores(createAwsClients(), parseConfig(process.env));
  await begin(stores, { client: new SecretsManagerClient({}), secret, name }, join(task, "shared/models"));
}

export interface Beginning {
  client: Pick<SecretsManagerClient, "send">;
  /** ARN of the secret. */
  secret: string;
  /** Of the first organization. */
  name: string;
}

/** Once there are keys they stay as they are: whoever has revoked the first ones has others. */
export async function begin(stores: Stores, { client, secret, name }: Beginning, models?: string): Promise<void> {
  await installShipped(stores, models);
  const { SecretString = "{}" } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  if ("api_key" in (JSON.parse(SecretString) as object)) return;
  const { apiKey: api_key, adminKey: admin_key } = await bootstrap(stores, {}, name);
  const keys = JSON.stringify({ api_key, admin_key });
  await client.send(new PutSecretValueCommand({ SecretId: secret, SecretString: keys }));
}
