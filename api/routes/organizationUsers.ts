/** `/v1/organization/users` */
import { createRoute, z } from "@hono/zod-openapi";
import { listOf } from "../../shared/schemas/list.ts";
import {
  AddOrganizationUser,
  DeletedOrganizationUser,
  OrganizationUser,
  UpdateOrganizationUser,
  type UserRecord,
} from "../../shared/schemas/user.ts";
import { newRouter, type Router } from "../router.ts";
import type { UserService } from "../services/organizationUsers.ts";
import { conflict, failures, idParams, json, jsonBody, paging, tooLarge, wrongMediaType } from "./contract.ts";
import { listParameter, listsIn } from "./queryLists.ts";

const bodies = { ...failures, ...conflict, ...tooLarge, ...wrongMediaType };
const tags = ["Users"];
const params = idParams("Id of a user of the organization, `user_…`.");
const pages = (kind: "user") => paging(kind, { maximum: 100, usual: 20 });
const emails = { emails: listParameter(z.string().min(1).max(320), "Only those with these addresses.") };
const OrganizationUserList = listOf(OrganizationUser, "OrganizationUserList");

const userAdd = createRoute({
  method: "post",
  path: "/v1/organization/users",
  tags: tags,
  summary: "Add a user to the organization",
  request: { body: jsonBody(AddOrganizationUser) },
  responses: { 200: json(OrganizationUser, "The user."), ...bodies },
});

const userList = createRoute({
  method: "get",
  path: "/v1/organization/users",
  tags: tags,
  summary: "List users",
  request: { query: pages("user").extend(emails) },
  responses: { 200: json(OrganizationUserList, "A page of users, oldest first."), ...failures },
});

const userRetrieve = createRoute({
  method: "get",
  path: "/v1/organization/users/{id}",
  tags: tags,
  summary: "Retrieve a user",
  request: { params: params },
  responses: { 200: json(OrganizationUser, "The user."), ...failures },
});

const userUpdate = createRoute({
  method: "post",
  path: "/v1/organization/users/{id}",
  tags: tags,
  summary: "Change the role of a user",
  description: "It holds for all keys everywhere within five seconds.",
  request: { params: params, body: jsonBody(UpdateOrganizationUser) },
  responses: { 200: json(OrganizationUser, "The user."), ...bodies },
});

const userDelete = createRoute({
  method: "delete",
  path: "/v1/organization/users/{id}",
  tags: tags,
  summary: "Remove a user",
  description: "The keys open nothing any more, everywhere within five seconds.",
  request: { params: params },
  responses: { 200: json(DeletedOrganizationUser, "The user is gone."), ...failures },
});

const shown = ({ id, email, name, role, added_at }: UserRecord): OrganizationUser => ({
  ...{ id, object: "organization.user", email, name, role, added_at },
});

export function userRoutes(users: UserService): Router {
  return newRouter()
    .openapi(userAdd, async (c) => {
      return c.json(OrganizationUser.parse(shown(await users.add(c.var.actor, c.req.valid("json")))), 200);
    })
    .openapi(userList, async (c) => {
      const { emails: wanted } = listsIn(c.req.queries(), emails);
      const page = await users.list(c.var.actor, c.req.valid("query"), wanted);
      return c.json(OrganizationUserList.parse({ ...page, data: page.data.map(shown) }), 200);
    })
    .openapi(userRetrieve, async (c) => {
      return c.json(OrganizationUser.parse(shown(await users.get(c.var.actor, c.req.valid("param").id))), 200);
    })
    .openapi(userUpdate, async (c) => {
      const user = await users.update(c.var.actor, c.req.valid("param").id, c.req.valid("json").role);
      return c.json(OrganizationUser.parse(shown(user)), 200);
    })
    .openapi(userDelete, async (c) => {
      const { id } = c.req.valid("param");
      await users.delete(c.var.actor, id);
      return c.json({ id, object: "organization.user.deleted" as const, deleted: true as const }, 200);
    });
}
