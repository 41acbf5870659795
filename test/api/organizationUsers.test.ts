/** Users and service accounts: a role bounds what their keys may do, and who is gone has none. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CreatedProjectApiKey } from "../../shared/schemas/apiKey.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { make } from "../support/organizations.ts";

let deployment: Deployment;
let project: string;
before(async () => {
  deployment = await deploy();
  project = (await make(deployment, "projects", { name: "p" })).id;
});
after(() => deployment.close());

const organization = () => deployment.client({ adminAPIKey: deployment.a.adminKey }).admin.organization;
const addUser = (email: string, role = "member") => make(deployment, "users", { email, role });
const keyFor = (user_id: string) =>
  make<CreatedProjectApiKey>(deployment, `projects/${project}/api_keys`, { name: user_id, user_id });
const files = (apiKey: string) => deployment.client({ apiKey }).files;
const upload = (apiKey: string) => files(apiKey).delete("file-x");

test("a user is added once, found by the address, given another role, and removed", async () => {
  const { users } = organization();
  const { id } = await addUser("ann@example.com");
  assert.equal((await addUser("ann@example.com")).id, id);
  const body = { email: "ann@example.com", role: "owner" };
  const again = deployment.client({ apiKey: deployment.a.adminKey }).post("/organization/users", { body });
  await assert.rejects(again, { status: 409, param: "email" });
  await addUser("bob@example.com");
  assert.deepEqual(
    (await users.list({ emails: ["ann@example.com", "eve@example.com"] })).data.map((one) => one.id),
    [id],
  );
  const walked: (string | null | undefined)[] = [];
  for await (const { email } of users.list({ limit: 1 })) walked.push(email);
  assert.deepEqual(walked, ["ann@example.com", "bob@example.com"]);
  assert.equal((await users.update(id, { role: "reader" })).role, "reader");
  assert.equal((await users.delete(id)).deleted, true);
  await assert.rejects(users.retrieve(id), { status: 404 });
  assert.notEqual((await addUser("ann@example.com")).id, id);
});

test("a key of a user does what the role in the project lets it, from the change of the role on", async () => {
  const { projects } = organization();
  const { id } = await addUser("cleo@example.com");
  await assert.rejects(
    deployment.client({ apiKey: deployment.a.adminKey }).post(`/organization/projects/${project}/api_keys`, {
      body: { name: "x", user_id: id },
    }),
    { status: 400, param: "user_id" },
  );
  const added = await projects.users.create(project, { email: "cleo@example.com", role: "reader" });
  assert.equal(added.id, id);
  const key = await keyFor(id);
  assert.deepEqual(key.owner.user?.email, "cleo@example.com");
  await files(key.value).list();
  await assert.rejects(upload(key.value), { status: 403, code: "missing_scope" });
  await projects.users.update(id, { project_id: project, role: "member" });
  await assert.rejects(upload(key.value), { status: 404 });
  const settings = deployment.client({ apiKey: key.value }).post(`/organization/projects/${project}`, { body: {} });
  await assert.rejects(settings, { status: 403, message: /'admin'/ });
  const log = await organization().auditLogs.list({ resource_ids: [id], project_ids: [project] });
  assert.deepEqual(
    log.data.map(({ type }) => type),
    ["user.updated", "user.added"],
  );
});

test("who leaves the project or the organization has keys that open nothing", async () => {
  const { projects, users } = organization();
  const { id } = await addUser("dan@example.com");
  const join = () => projects.users.create(project, { user_id: id, role: "owner" });
  await join();
  const key = await keyFor(id);
  await files(key.value).list();
  assert.deepEqual(await projects.users.delete(id, { project_id: project }), {
    ...{ id, object: "organization.project.user.deleted", deleted: true },
  });
  await assert.rejects(files(key.value).list(), { status: 401 });
  const shown = await projects.apiKeys.retrieve(key.id, { project_id: project });
  assert.equal(shown.owner_project_access, "inactive");
  await join();
  await files(key.value).list();
  await users.delete(id);
  await assert.rejects(files(key.value).list(), { status: 401 });
});

test("a service account comes with a key of its own, which goes with it", async () => {
  const { serviceAccounts } = organization().projects;
  const { id, api_key, role } = await serviceAccounts.create(project, { name: "robot" });
  assert.equal(role, "member");
  await files(api_key!.value).list();
  await serviceAccounts.retrieve(id, { project_id: project });
  assert.deepEqual(
    (await serviceAccounts.list(project)).data.map((one) => one.id),
    [id],
  );
  assert.equal((await serviceAccounts.delete(id, { project_id: project })).deleted, true);
  await assert.rejects(files(api_key!.value).list(), { status: 401 });
  await assert.rejects(serviceAccounts.retrieve(id, { project_id: project }), { status: 404 });
});

test("an admin key of who is no owner looks and changes nothing", async () => {
  const { users, adminAPIKeys } = organization();
  const { id } = await addUser("fay@example.com", "reader");
  const { value } = await make<{ value: string }>(deployment, "admin_api_keys", { name: "fay", user_id: id });
  const hers = deployment.client({ adminAPIKey: value }).admin.organization;
  await hers.projects.list();
  await assert.rejects(hers.projects.create({ name: "x" }), { status: 403, code: "permission_denied" });
  await users.update(id, { role: "owner" });
  const made = await hers.projects.create({ name: "hers" });
  const log = (await hers.auditLogs.list({ actor_emails: ["fay@example.com"] })).data;
  assert.deepEqual(
    log.map((line) => line["project.created"]?.id),
    [made.id],
  );
  await users.delete(id);
  await assert.rejects(hers.projects.list(), { status: 401 });
  await adminAPIKeys.list();
});

test("another organization's users are 404, and join no project of this one", async () => {
  const { id } = await make(deployment, "users", { email: "z@example.com", role: "owner" }, deployment.b.adminKey);
  const { users, projects } = organization();
  await assert.rejects(users.retrieve(id), { status: 404 });
  await assert.rejects(users.delete(id), { status: 404 });
  await assert.rejects(projects.users.create(project, { user_id: id, role: "owner" }), {
    status: 400,
    param: "user_id",
  });
  const other = deployment.client({ adminAPIKey: deployment.b.adminKey }).admin.organization;
  await assert.rejects(other.projects.users.create(project, { user_id: id, role: "owner" }), { status: 404 });
  await assert.rejects(async () => other.projects.serviceAccounts.list(project), { status: 404 });
});
