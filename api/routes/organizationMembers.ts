/** The users and the service accounts of `/v1/organization/projects/{id}` */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import {
  AddProjectUser,
  CreatedServiceAccount,
  CreateServiceAccount,
  DeletedProjectUser,
  DeletedServiceAccount,
  type MemberRecord,
  ProjectUser,
  ServiceAccount,
  UpdateProjectUser,
} from "../../shared/schemas/user.ts";
import { newRouter, type Router } from "../router.ts";
import type { MemberService } from "../services/organizationUsers.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { attemptIn } from "./retries.ts";

const bodies = { ...failures, ...conflict, ...tooLarge, ...wrongMediaType };
const tags = ["Project members"];
const project = idParams("Id of a project of the organization, `proj_…`.");
const userParams = project.extend({
  user_id: z.string().openapi({ param: { name: "user_id", in: "path" }, description: "Id of the user, `user_…`." }),
});
const accountParams = project.extend({
  account_id: z
    .string()
    .openapi({ param: { name: "account_id", in: "path" }, description: "Id of the service account, `svcacct_…`." }),
});
const pages = (kind: "user" | "service_account") => paging(kind, { maximum: 100, usual: 20 });
const ProjectUserList = listOf(ProjectUser, "ProjectUserList");
const ServiceAccountList = listOf(ServiceAccount, "ServiceAccountList");

const userAdd = createRoute({
  method: "post",
  path: "/v1/organization/projects/{id}/users",
  tags: tags,
  summary: "Add a user of the organization to a project",
  request: { params: project, body: jsonBody(AddProjectUser) },
  responses: { 200: json(ProjectUser, "The user."), ...bodies },
});

const userList = createRoute({
  method: "get",
  path: "/v1/organization/projects/{id}/users",
  tags: tags,
  summary: "List users",
  request: { params: project, query: pages("user") },
  responses: { 200: json(ProjectUserList, "A page of users, oldest first."), ...failures },
});

const userRetrieve = createRoute({
  method: "get",
  path: "/v1/organization/projects/{id}/users/{user_id}",
  tags: tags,
  summary: "Retrieve a user",
  request: { params: userParams },
  responses: { 200: json(ProjectUser, "The user."), ...failures },
});

const userUpdate = createRoute({
  method: "post",
  path: "/v1/organization/projects/{id}/users/{user_id}",
  tags: tags,
  summary: "Change the role of a user",
  description: "It holds for all keys everywhere within five seconds.",
  request: { params: userParams, body: jsonBody(UpdateProjectUser) },
  responses: { 200: json(ProjectUser, "The user."), ...bodies },
});

const userDelete = createRoute({
  method: "delete",
  path: "/v1/organization/projects/{id}/users/{user_id}",
  tags: tags,
  summary: "Remove a user",
  description: "The keys open nothing any more, everywhere within five seconds.",
  request: { params: userParams },
  responses: { 200: json(DeletedProjectUser, "The user is gone."), ...failures },
});

const accountAdd = createRoute({
  method: "post",
  path: "/v1/organization/projects/{id}/service_accounts",
  tags: tags,
  summary: "Create a service account, with a key of its own",
  request: { params: project, body: jsonBody(CreateServiceAccount) },
  responses: { 200: json(CreatedServiceAccount, "The service account."), ...bodies },
});

const accountList = createRoute({
  method: "get",
  path: "/v1/organization/projects/{id}/service_accounts",
  tags: tags,
  summary: "List service accounts",
  request: { params: project, query: pages("service_account") },
  responses: { 200: json(ServiceAccountList, "A page of service accounts, oldest first."), ...failures },
});

const accountRetrieve = createRoute({
  method: "get",
  path: "/v1/organization/projects/{id}/service_accounts/{account_id}",
  tags: tags,
  summary: "Retrieve a service account",
  request: { params: accountParams },
  responses: { 200: json(ServiceAccount, "The service account."), ...failures },
});

const accountUpdate = createRoute({
  method: "post",
  path: "/v1/organization/projects/{id}/service_accounts/{account_id}",
  tags: tags,
  summary: "Change the role of a service account",
  description: "It holds for all keys everywhere within five seconds.",
  request: { params: accountParams, body: jsonBody(UpdateProjectUser) },
  responses: { 200: json(ServiceAccount, "The service account."), ...bodies },
});

const accountDelete = createRoute({
  method: "delete",
  path: "/v1/organization/projects/{id}/service_accounts/{account_id}",
  tags: tags,
  summary: "Remove a service account",
  description: "The keys open nothing any more, everywhere within five seconds.",
  request: { params: accountParams },
  responses: { 200: json(DeletedServiceAccount, "The service account is gone."), ...failures },
});

const user = ({ id, email, name, role, added_at }: MemberRecord): ProjectUser => ({
  ...{ id, object: "organization.project.user", email: email ?? "", name, role, added_at },
});
const account = ({ id, name, role, added_at }: MemberRecord): ServiceAccount => ({
  ...{ id, object: "organization.project.service_account", name, role, created_at: added_at },
});

export function memberRoutes(members: MemberService): Router {
  return newRouter().route("/", userRoutes(members)).route("/", accountRoutes(members));
}

function userRoutes(members: MemberService): Router {
  return newRouter()
    .openapi(userAdd, async (c) => {
      const member = await members.add(c.var.actor, c.req.valid("param").id, c.req.valid("json"));
      return c.json(ProjectUser.parse(user(member)), 200);
    })
    .openapi(userList, async (c) => {
      const page = await members.list(c.var.actor, c.req.valid("param").id, "user", c.req.valid("query"));
      return c.json(ProjectUserList.parse({ ...page, data: page.data.map(user) }), 200);
    })
    .openapi(userRetrieve, async (c) => {
      const { id, user_id } = c.req.valid("param");
      return c.json(ProjectUser.parse(user(await members.get(c.var.actor, id, "user", user_id))), 200);
    })
    .openapi(userUpdate, async (c) => {
      const { id, user_id } = c.req.valid("param");
      const member = await members.update(c.var.actor, id, "user", user_id, c.req.valid("json").role);
      return c.json(ProjectUser.parse(user(member)), 200);
    })
    .openapi(userDelete, async (c) => {
      const { id, user_id } = c.req.valid("param");
      await members.delete(c.var.actor, id, "user", user_id);
      return c.json({ id: user_id, object: "organization.project.user.deleted" as const, deleted: true as const }, 200);
    });
}

function accountRoutes(members: MemberService): Router {
  return newRouter()
    .openapi(accountAdd, async (c) => {
      const { id: project } = c.req.valid("param");
      const made = await members.addServiceAccount(c.var.actor, project, c.req.valid("json").name, attemptIn(c));
      const { id, name, created_at } = made.key.record;
      const object = "organization.project.service_account.api_key";
      const api_key = { id, object, name, created_at, value: made.key.secret };
      return c.json(CreatedServiceAccount.parse({ ...account(made.account), api_key }), 200);
    })
    .openapi(accountList, async (c) => {
      const page = await members.list(c.var.actor, c.req.valid("param").id, "service_account", c.req.valid("query"));
      return c.json(ServiceAccountList.parse({ ...page, data: page.data.map(account) }), 200);
    })
    .openapi(accountRetrieve, async (c) => {
      const { id, account_id } = c.req.valid("param");
      const found = await members.get(c.var.actor, id, "service_account", account_id);
      return c.json(ServiceAccount.parse(account(found)), 200);
    })
    .openapi(accountUpdate, async (c) => {
      const { id, account_id } = c.req.valid("param");
      const { role } = c.req.valid("json");
      const found = await members.update(c.var.actor, id, "service_account", account_id, role);
      return c.json(ServiceAccount.parse(account(found)), 200);
    })
    .openapi(accountDelete, async (c) => {
      const { id, account_id } = c.req.valid("param");
      await members.delete(c.var.actor, id, "service_account", account_id);
      const object = "organization.project.service_account.deleted" as const;
      return c.json({ id: account_id, object, deleted: true as const }, 200);
    });
}
