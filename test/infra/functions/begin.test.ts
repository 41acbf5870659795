/** How a deployment begins: the bases that come with it, and keys that are told to one secret and no one else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { begin } from "../../../infra/functions/begin.ts";
import { fetchSecrets } from "../../../infra/functions/secrets.ts";
import { keyHash } from "../../../shared/stores/apiKeyRows.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

/** Secrets by name, in place of the service. */
function secretsOf(values: Record<string, string>): SecretsManagerClient {
  const send = async ({ input }: GetSecretValueCommand | PutSecretValueCommand) => {
    if ("SecretString" in input) values[input.SecretId!] = input.SecretString!;
    return { SecretString: values[input.SecretId!] };
  };
  return { send } as unknown as SecretsManagerClient;
}

const noModels = "/nowhere";

test("the first deployment makes a project and its keys; later ones leave them, whatever became of them", async () => {
  const { stores } = cloud;
  const values = { keys: '{"unused":"x"}' };
  const beginning = { client: secretsOf(values), secret: "keys", name: "production" };
  await begin(stores, beginning, noModels);
  const told = JSON.parse(values.keys) as { api_key: string; admin_key: string };
  const key = (await stores.apiKeys.find(keyHash(told.api_key)))!;
  const admin = (await stores.adminKeys.find(keyHash(told.admin_key)))!;
  assert.equal((await stores.organizations.get(admin.organization_id))?.name, "production");
  assert.equal((await stores.projects.get(key.project_id))?.organization_id, admin.organization_id);

  assert.ok(await stores.apiKeys.delete(key, []));
  await begin(stores, beginning, noModels);
  assert.deepEqual(JSON.parse(values.keys), told);
});

test("a function's secrets are in its environment once it has started, and not before", async () => {
  const environment: Record<string, string | undefined> = { SECRET_OF_NAME: "a", OTHER: "b" };
  await fetchSecrets(environment, secretsOf({ a: "told" }));
  assert.deepEqual(environment, { SECRET_OF_NAME: "a", OTHER: "b", NAME: "told" });
  await assert.rejects(fetchSecrets({ SECRET_OF_NAME: "gone" }, secretsOf({})), /gone of SECRET_OF_NAME has no text/);
});
