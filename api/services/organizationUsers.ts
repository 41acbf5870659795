/** Who belongs to an organization and to its projects: a role bounds what its bearer's keys may do. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId, newId } from "../../shared/ids.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor, Role } from "../../shared/schemas/organization.ts";
import type { ProjectRecord } from "../../shared/schemas/project.ts";
import type { AddOrganizationUser, AddProjectUser, MemberRecord, UserRecord } from "../../shared/schemas/user.ts";
import { newApiKey } from "../../shared/stores/apiKeys.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Paging } from "./fineTuningJobs.ts";
import type { KeyService } from "./keys.ts";
import type { ProjectService } from "./projects.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface UserService {
  /** Asked for again with the same role, who is there already. */
  add(actor: Actor, request: AddOrganizationUser): Promise<UserRecord>;
  list(actor: Actor, paging: Paging, emails?: readonly string[]): Promise<Page<UserRecord>>;
  get(actor: Actor, id: string): Promise<UserRecord>;
  update(actor: Actor, id: string, role: Role): Promise<UserRecord>;
  /** Of all projects, too: the keys stop. */
  delete(actor: Actor, id: string): Promise<void>;
}

export interface MemberService {
  /** Asked for again with the same role, who is there already. */
  add(actor: Actor, project: string, request: AddProjectUser): Promise<MemberRecord>;
  /** With a key of its own, whose secret is shown once. */
  addServiceAccount(
    actor: Actor,
    project: string,
    name: string,
    attempt: Attempt,
  ): Promise<{ account: MemberRecord; key: ReturnType<typeof newApiKey> }>;
  list(actor: Actor, project: string, type: MemberRecord["type"], paging: Paging): Promise<Page<MemberRecord>>;
  get(actor: Actor, project: string, type: MemberRecord["type"], id: string): Promise<MemberRecord>;
  update(actor: Actor, project: string, type: MemberRecord["type"], id: string, role: Role): Promise<MemberRecord>;
  delete(actor: Actor, project: string, type: MemberRecord["type"], id: string): Promise<void>;
}

type Rows = Pick<Stores, "users" | "members" | "projects" | "apiKeys">;
type Forget = Pick<KeyService, "forgetMember" | "forgetUser">;

const now = () => Math.floor(Date.now() / 1000);
const paged = ({ limit, after }: Paging) => ({ limit: limit + 1, ...(after && { after }) });

export function createUserService({ users, members, projects }: Rows, keys: Forget): UserService {
  const get: UserService["get"] = async ({ organization_id }, id) => {
    const user = isId("user", id) ? await users.get(organization_id, id) : undefined;
    if (!user) throw notFound("user", id);
    return user;
  };
  return {
    get,
    async add(actor, { email, name = email, role }) {
      const organization_id = actor.organization_id;
      const record: UserRecord = { id: newId("user"), organization_id, email, name, role, added_at: now() };
      const details = { id: record.id, data: { role } };
      if (await users.create(record, [auditWrite(actor, { type: "user.added", details })])) return record;
      const earlier = await users.byEmail(organization_id, email);
      if (earlier?.role === role) return earlier;
      throw new ApiError("invalid_state", `'${email}' belongs to the organization: change the role.`, {
        param: "email",
      });
    },
    async list({ organization_id }, paging, emails) {
      if (!emails?.length) return toPage(await users.list(organization_id, paged(paging)), paging.limit);
      const found = await Promise.all([...new Set(emails)].map((email) => users.byEmail(organization_id, email)));
      return toPage(
        found.filter((user) => user !== undefined),
        Number.POSITIVE_INFINITY,
      );
    },
    async update(actor, id, role) {
      const user = await get(actor, id);
      const details = { id, changes_requested: { role } };
      const audit = auditWrite(actor, { type: "user.updated", details });
      if (!(await users.setRole(user, role, [audit]))) throw notFound("user", id);
      keys.forgetUser(actor.organization_id, id);
      return get(actor, id);
    },
    async delete(actor, id) {
      const user = await get(actor, id);
      for await (const project of projects.stream(actor.organization_id)) {
        const member = await members.get(project.id, id);
        if (member) await members.delete(member, []);
        keys.forgetMember(project.id, id);
      }
      const audit = auditWrite(actor, { type: "user.deleted", details: { id } });
      if (!(await users.delete(user, [audit]))) throw notFound("user", id);
      keys.forgetUser(actor.organization_id, id);
    },
  };
}

/** What the log calls a change of each sort of member. */
const updated = { user: "user.updated", service_account: "service_account.updated" } as const;
const deleted = { user: "user.deleted", service_account: "service_account.deleted" } as const;
const kinds = {
  user: { noun: "user", param: "user_id" },
  service_account: { noun: "service account", param: "account_id" },
};

export function createMemberService(
  { users, members, apiKeys }: Rows,
  projects: Pick<ProjectService, "require" | "requireActive">,
  keys: Forget,
): MemberService {
  const missing = (type: MemberRecord["type"], id: string) => notFound(kinds[type].noun, id, kinds[type].param);
  const get: MemberService["get"] = async (actor, project, type, id) => {
    await projects.require(actor, project);
    const member = isId(type, id) ? await members.get(project, id) : undefined;
    if (!member) throw missing(type, id);
    return member;
  };
  const requireUser = async ({ organization_id }: Actor, { user_id, email }: AddProjectUser): Promise<UserRecord> => {
    const param = user_id == null && email != null ? "email" : "user_id";
    if (user_id == null && email == null) {
      throw new ApiError("missing_required_parameter", "Missing required parameter: 'user_id' or 'email'.", { param });
    }
    const byId = user_id != null && isId("user", user_id) ? await users.get(organization_id, user_id) : undefined;
    const user = user_id == null ? await users.byEmail(organization_id, email!) : byId;
    if (user && (email == null || email === user.email)) return user;
    throw new ApiError("invalid_value", "The organization has no such user.", { param });
  };
  return {
    get,
    async add(actor, project_id, request) {
      const project = await projects.requireActive(actor, project_id);
      const { id, organization_id, name, email } = await requireUser(actor, request);
      const { role } = request;
      const record: MemberRecord = {
        id,
        type: "user",
        project_id,
        organization_id,
        name,
        email,
        role,
        added_at: now(),
      };
      const audit = auditWrite(actor, { type: "user.added", project, details: { id, data: { role } } });
      if (await members.create(record, [audit])) return record;
      const earlier = await members.get(project_id, id);
      if (earlier?.role === role) return earlier;
      throw new ApiError("invalid_state", "The user belongs to the project: change the role.", { param: "user_id" });
    },
    async addServiceAccount(actor, project_id, name, attempt) {
      const project = await projects.requireActive(actor, project_id);
      const account = accountOf(project, name, idFor("service_account", attempt));
      const { id } = account;
      const key = newApiKey({ name, project_id, owner_id: id }, idFor("api_key", attempt));
      const audits = createdWrites(actor, project, account, key.record.id);
      const isMade = await members.create(account, [...apiKeys.creations(key.record), ...audits]);
      if (isMade) return { account, key };
      const earlier = await members.get(project_id, id);
      if (!earlier) throw new ApiError("invalid_state", "The service account was deleted meanwhile.");
      // Its maker died before anybody saw the secret.
      await apiKeys.create(key.record);
      return { account: earlier, key };
    },
    async list(actor, project, type, paging) {
      await projects.require(actor, project);
      return toPage(await members.list(project, type, paged(paging)), paging.limit);
    },
    async update(actor, project_id, type, id, role) {
      const project = await projects.requireActive(actor, project_id);
      const member = await get(actor, project_id, type, id);
      const details = { id, changes_requested: { role } };
      const audit = auditWrite(actor, { type: updated[type], project, details });
      if (!(await members.setRole(member, role, [audit]))) throw missing(type, id);
      keys.forgetMember(project_id, id);
      return get(actor, project_id, type, id);
    },
    async delete(actor, project_id, type, id) {
      const project = await projects.require(actor, project_id);
      const member = await get(actor, project_id, type, id);
      const audit = auditWrite(actor, { type: deleted[type], project, details: { id } });
      if (!(await members.delete(member, [audit]))) throw missing(type, id);
      keys.forgetMember(project_id, id);
    },
  };
}

const accountOf = ({ id: project_id, organization_id }: ProjectRecord, name: string, id: string): MemberRecord => ({
  ...{ id, type: "service_account", project_id, organization_id },
  ...{ name, email: null, role: "member", added_at: now() },
});

const createdWrites = (actor: Actor, project: ProjectRecord, { id, role }: MemberRecord, key: string) => [
  auditWrite(actor, { type: "service_account.created", project, details: { id, data: { role } } }),
  auditWrite(actor, { type: "api_key.created", project, details: { id: key } }),
];
