/** `/v1/organization/audit_logs` */
import { createRoute, z } from "@hono/zod-openapi";
import { idPattern } from "../../shared/ids.ts";
import { AuditedType, AuditLog } from "../../shared/schemas/auditLog.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { AuditService } from "../services/audits.ts";
import { failures, json, paging } from "./contract.ts";
import { listParameter, listsIn, timesIn, timesParameter } from "./queryLists.ts";

const AuditLogList = listOf(AuditLog, "AuditLogList");
const text = z.string().min(1).max(320);

const lists = {
  event_types: listParameter(AuditedType, "Only these types."),
  project_ids: listParameter(text, "Only what happened in these projects."),
  actor_ids: listParameter(text, "Only what these users, service accounts or API keys did."),
  actor_emails: listParameter(text, "Only what users of these addresses did."),
  resource_ids: listParameter(text, "Only what was done to these."),
};

const list = createRoute({
  method: "get",
  path: "/v1/organization/audit_logs",
  tags: ["Audit logs"],
  summary: "List who changed what, newest first",
  description:
    "Every change of projects, keys, users, permissions and limits has a line, written in one transaction with the change.",
  request: {
    query: paging("audit_log", { maximum: 100, usual: 20 }).extend({
      before: z
        .string()
        .regex(idPattern("audit_log"), "not an id of this list")
        .optional()
        .openapi({ description: "Id of the first item seen; the page ends before it. Excludes `after`." }),
      effective_at: timesParameter("effective_at", "`effective_at[gte]=…`: only what happened then; also gt, lt, lte."),
      ...lists,
    }),
  },
  responses: { 200: json(AuditLogList, "A page of the log."), ...failures },
});

export function auditLogRoutes(audits: AuditService): Router {
  return newRouter().openapi(list, async (c) => {
    const { limit, after, before } = c.req.valid("query");
    const queries = c.req.queries();
    const filter = { ...listsIn(queries, lists), effective_at: timesIn(queries, "effective_at") };
    return c.json(AuditLogList.parse(await audits.list(c.var.actor, filter, { limit, after, before })), 200);
  });
}
