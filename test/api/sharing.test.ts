/** A model of one project that another may call: that one, by permission, and nothing else of it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type OpenAI, toFile } from "openai";
import type { ModelRecord } from "../../shared/schemas/model.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { make } from "../support/organizations.ts";
import { addModel } from "../support/records.ts";

let deployment: Deployment;
let shared: ModelRecord;
let secret: ModelRecord;
/** Of A's organization: its owner, the project that may call, and one that may not. */
let admin: OpenAI;
let guest: { id: string; client: OpenAI };
let stranger: { id: string; client: OpenAI };
/** What the model host was asked to run. */
const ran: ModelRecord[] = [];

async function project(name: string) {
  const { id } = await make(deployment, "projects", { name });
  const { value } = await make<{ value: string }>(deployment, `projects/${id}/api_keys`, { name });
  return { id, client: deployment.client({ apiKey: value }) };
}

before(async () => {
  const host = fakeHost();
  const classify: typeof host.classify = async (model, ...rest) => {
    ran.push(model as ModelRecord);
    return host.classify(model, ...rest);
  };
  deployment = await deploy({ host: { ...host, classify } });
  admin = deployment.client({ adminAPIKey: deployment.a.adminKey });
  shared = await addModel(deployment.stores, deployment.a, { id: "ft:millrace-ngram:acme:shared:00000001" });
  secret = await addModel(deployment.stores, deployment.a, { id: "ft:millrace-ngram:acme:secret:00000002" });
  [guest, stranger] = [await project("guest"), await project("stranger")];
});
after(() => deployment.close());

const say = (client: OpenAI, model: string) =>
  client.decisions.create({ model, input: "ham", questions: [{ type: "predicate", instructions: "ham" }] });

const isMissing = { status: 404 };

test("a permitted project calls the model by its name and by an alias, and it stays its owner's", async () => {
  const { permissions } = admin.fineTuning.checkpoints;
  await assert.rejects(() => say(guest.client, shared.id), { ...isMissing, code: "model_not_found" });
  const made = await permissions.create(shared.id, { project_ids: [guest.id] });
  assert.deepEqual(
    made.data.map(({ object, project_id }) => ({ object, project_id })),
    [{ object: "checkpoint.permission", project_id: guest.id }],
  );
  const again = await permissions.create(shared.id, { project_ids: [guest.id, guest.id] });
  assert.deepEqual(again.data, made.data);

  await guest.client.post("/aliases", { body: { name: "theirs", model: shared.id } });
  for (const name of [shared.id, "alias:theirs"]) {
    ran.length = 0;
    assert.equal((await say(guest.client, name)).model, shared.id);
    const [{ project_id, id, digest }, ...more] = ran as [ModelRecord, ...ModelRecord[]];
    assert.deepEqual(
      { project_id, id, digest, more },
      {
        ...{ project_id: deployment.a.project.id, id: shared.id, digest: shared.digest, more: [] },
      },
    );
  }
  assert.equal((await guest.client.models.retrieve(shared.id)).id, shared.id);
});

test("it may call that model, and do nothing else with it or with any other", async () => {
  const { client } = guest;
  const file = await client.files.create({ file: await toFile(Buffer.from("{}\n"), "a.jsonl"), purpose: "fine-tune" });
  const refused: Record<string, () => PromiseLike<unknown>> = {
    deleted: () => client.models.delete(shared.id),
    "tuned further": () => client.fineTuning.jobs.create({ model: shared.id, training_file: file.id }),
    "another model of the owner's": () => say(client, secret.id),
    "an alias of another model": () => client.post("/aliases", { body: { name: "more", model: secret.id } }),
    "who was not permitted": () => say(stranger.client, shared.id),
    "who was not permitted, by alias": () => say(stranger.client, "alias:theirs"),
    "another organization's": () => say(deployment.client({ apiKey: deployment.keys.b }), shared.id),
  };
  for (const [what, call] of Object.entries(refused))
    await assert.rejects(Promise.resolve().then(call), isMissing, what);
  const listed = (await client.models.list()).data.map(({ id }) => id);
  assert.ok(!listed.includes(shared.id));
  assert.equal((await deployment.stores.models.get(deployment.a.project.id, shared.id))?.digest, shared.digest);
});

test("no project's key, and no other organization's, gives, sees or takes permissions", async () => {
  const path = `/fine_tuning/checkpoints/${encodeURIComponent(shared.id)}/permissions`;
  const body = { project_ids: [stranger.id] };
  for (const client of [stranger.client, guest.client, deployment.client()]) {
    await assert.rejects(client.post(path, { body }), { status: 403, code: "admin_key_required" });
  }
  const other = deployment.client({ adminAPIKey: deployment.b.adminKey }).fineTuning.checkpoints.permissions;
  await assert.rejects(async () => other.create(shared.id, body), isMissing);
  await assert.rejects(async () => other.list(shared.id), isMissing);
  const { id } = (await admin.fineTuning.checkpoints.permissions.list(shared.id)).data[0]!;
  await assert.rejects(other.delete(id, { fine_tuned_model_checkpoint: shared.id }), isMissing);
  const { permissions } = admin.fineTuning.checkpoints;
  // What is permitted for one model is no permission for another.
  await assert.rejects(permissions.delete(id, { fine_tuned_model_checkpoint: secret.id }), isMissing);
  for (const wrong of [deployment.b.project.id, deployment.a.project.id, "proj_x", "x"]) {
    const asked = async () => permissions.create(shared.id, { project_ids: [guest.id, wrong] });
    await assert.rejects(asked, { status: 400, param: "project_ids" }, wrong);
  }
});

test("lists are by time, in pages, and of one project where asked for", async () => {
  const { permissions } = admin.fineTuning.checkpoints;
  await permissions.create(secret.id, { project_ids: [guest.id] });
  await permissions.create(secret.id, { project_ids: [stranger.id] });
  const walked: string[] = [];
  for await (const { project_id } of permissions.list(secret.id, { limit: 1 })) walked.push(project_id);
  assert.deepEqual(walked, [stranger.id, guest.id]);
  const ids = async (query: object) =>
    (await permissions.list(secret.id, query)).data.map(({ project_id }) => project_id);
  assert.deepEqual(await ids({ order: "ascending" }), [guest.id, stranger.id]);
  assert.deepEqual(await ids({ project_id: guest.id }), [guest.id]);
});

test("what is taken back is refused at once, and each change is in the log", async () => {
  const { permissions } = admin.fineTuning.checkpoints;
  const { data } = await permissions.list(shared.id);
  const { id } = data[0]!;
  await say(guest.client, shared.id);
  const gone = await permissions.delete(id, { fine_tuned_model_checkpoint: shared.id });
  assert.deepEqual(gone, { id, object: "checkpoint.permission", deleted: true });
  await assert.rejects(() => say(guest.client, shared.id), isMissing);
  await assert.rejects(() => say(guest.client, "alias:theirs"), isMissing);
  await assert.rejects(permissions.delete(id, { fine_tuned_model_checkpoint: shared.id }), isMissing);
  const { auditLogs } = admin.admin.organization;
  const types = (await auditLogs.list({ resource_ids: [id] })).data.map(({ type }) => type);
  assert.deepEqual(types, ["checkpoint.permission.deleted", "checkpoint.permission.created"]);
});
