/** Which key opens which route: of a project's keys those with the scope, of an organization's the admin keys. */
import type { Scope } from "../shared/schemas/apiKey.ts";

/** `organization`: an admin key. */
export type Access = Scope | "organization";

/** A route that is named more than once is opened by any of them. */
const routesOf: Record<Access, readonly string[]> = {
  read: [
    "GET /v1/files",
    "GET /v1/files/{id}",
    "GET /v1/files/{id}/content",
    "GET /v1/fine_tuning/jobs",
    "GET /v1/fine_tuning/jobs/{id}",
    "GET /v1/fine_tuning/jobs/{id}/events",
    "GET /v1/fine_tuning/jobs/{id}/checkpoints",
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /v1/models/{id}/drift",
    "GET /v1/aliases",
    "GET /v1/aliases/{name}",
    "GET /v1/aliases/{name}/moves",
    "GET /v1/functions",
    "GET /v1/functions/{name}",
    "GET /v1/functions/{name}/policy",
    "GET /v1/functions/{name}/promotions",
    "GET /v1/functions/{name}/promotions/{id}",
    "GET /v1/functions/{name}/drift",
    "GET /v1/experiments",
    "GET /v1/experiments/{id}",
    "GET /v1/experiments/{id}/results",
    "GET /v1/datasets",
    "GET /v1/datasets/{name}/versions",
    "GET /v1/datasets/{name}/versions/{version}",
    "GET /v1/datasets/{name}/versions/{version}/content",
    "GET /v1/datasets/{name}/versions/{version}/diff",
    "GET /v1/datasets/{name}/versions/{version}/doctor",
    "GET /v1/label_queues",
    "GET /v1/label_queues/{id}",
    "GET /v1/label_queues/{id}/items",
    "GET /v1/label_queues/{id}/agreement",
    "GET /v1/chat/completions",
    "GET /v1/chat/completions/{id}",
    "GET /v1/chat/completions/{id}/messages",
    "GET /v1/batches",
    "GET /v1/batches/{id}",
    "GET /v1/inferences",
    "GET /v1/inferences/{id}",
    "GET /v1/evals",
    "GET /v1/evals/{id}",
    "GET /v1/evals/{id}/compare",
    "GET /v1/evals/{eval_id}/runs",
    "GET /v1/evals/{eval_id}/runs/{run_id}",
    "GET /v1/evals/{eval_id}/runs/{run_id}/output_items",
    "GET /v1/evals/{eval_id}/runs/{run_id}/output_items/{output_item_id}",
    "GET /v1/metrics",
    "GET /v1/metrics/{name}",
    "GET /v1/feedback",
    "GET /v1/organization/projects/{id}",
    "GET /v1/webhook_endpoints",
    "GET /v1/webhook_endpoints/{id}",
    "GET /v1/webhook_endpoints/{id}/deliveries",
    "GET /v1/webhook_event_types",
  ],
  inference: [
    "POST /v1/decisions",
    "POST /v1/embeddings",
    "POST /v1/moderations",
    "POST /v1/chat/completions",
    "POST /v1/completions",
    "POST /v1/responses",
    "POST /v1/models/{id}/infer",
    "POST /v1/files",
    "POST /v1/batches",
    "POST /v1/batches/{id}/cancel",
    "GET /v1/answers/{id}",
    "POST /v1/feedback",
    "POST /v1/chat/completions/{id}",
  ],
  training: [
    "POST /v1/files",
    "DELETE /v1/files/{id}",
    "POST /v1/fine_tuning/jobs",
    "POST /v1/fine_tuning/jobs/{id}/cancel",
    "POST /v1/fine_tuning/jobs/{id}/pause",
    "POST /v1/fine_tuning/jobs/{id}/resume",
    "POST /v1/fine_tuning/alpha/graders/run",
    "POST /v1/fine_tuning/alpha/graders/validate",
    "DELETE /v1/models/{id}",
    "POST /v1/aliases",
    "POST /v1/aliases/{name}",
    "DELETE /v1/aliases/{name}",
    "POST /v1/functions",
    "POST /v1/functions/{name}",
    "DELETE /v1/functions/{name}",
    "PUT /v1/functions/{name}/policy",
    "POST /v1/functions/{name}/turn",
    "POST /v1/functions/{name}/promotions/{id}/hold",
    "POST /v1/functions/{name}/promotions/{id}/resume",
    "POST /v1/functions/{name}/promotions/{id}/force",
    "POST /v1/functions/{name}/promotions/{id}/revert",
    "POST /v1/experiments",
    "POST /v1/experiments/{id}/pause",
    "POST /v1/experiments/{id}/resume",
    "POST /v1/experiments/{id}/ramp",
    "POST /v1/experiments/{id}/end",
    "POST /v1/datasets/{name}/versions",
    "POST /v1/datasets/{name}/versions/{version}/doctor",
    "POST /v1/label_queues",
    "GET /v1/label_queue",
    "POST /v1/labels",
    "DELETE /v1/chat/completions/{id}",
    "POST /v1/inferences",
    "DELETE /v1/inferences/{id}",
    "POST /v1/evals",
    "POST /v1/evals/{id}",
    "DELETE /v1/evals/{id}",
    "POST /v1/evals/{eval_id}/runs",
    "POST /v1/evals/{eval_id}/runs/{run_id}",
    "DELETE /v1/evals/{eval_id}/runs/{run_id}",
    "POST /v1/evals/{eval_id}/runs/{run_id}/cancel",
    "POST /v1/metrics",
    "DELETE /v1/metrics/{name}",
  ],
  admin: [
    "POST /v1/organization/projects/{id}",
    "POST /v1/webhook_endpoints",
    "POST /v1/webhook_endpoints/{id}",
    "DELETE /v1/webhook_endpoints/{id}",
    "POST /v1/webhook_endpoints/{id}/rotate_secret",
    "POST /v1/webhook_endpoints/{id}/test",
    "POST /v1/webhook_endpoints/{id}/deliveries/{delivery_id}/redeliver",
  ],
  organization: [
    "GET /v1/organization/projects",
    "POST /v1/organization/projects",
    "GET /v1/organization/projects/{id}",
    "POST /v1/organization/projects/{id}",
    "POST /v1/organization/projects/{id}/archive",
    "GET /v1/organization/projects/{id}/api_keys",
    "POST /v1/organization/projects/{id}/api_keys",
    "GET /v1/organization/projects/{id}/api_keys/{key_id}",
    "POST /v1/organization/projects/{id}/api_keys/{key_id}",
    "POST /v1/organization/projects/{id}/api_keys/{key_id}/rotate",
    "DELETE /v1/organization/projects/{id}/api_keys/{key_id}",
    "GET /v1/organization/admin_api_keys",
    "POST /v1/organization/admin_api_keys",
    "GET /v1/organization/admin_api_keys/{id}",
    "DELETE /v1/organization/admin_api_keys/{id}",
    "GET /v1/organization/users",
    "POST /v1/organization/users",
    "GET /v1/organization/users/{id}",
    "POST /v1/organization/users/{id}",
    "DELETE /v1/organization/users/{id}",
    "GET /v1/organization/projects/{id}/users",
    "POST /v1/organization/projects/{id}/users",
    "GET /v1/organization/projects/{id}/users/{user_id}",
    "POST /v1/organization/projects/{id}/users/{user_id}",
    "DELETE /v1/organization/projects/{id}/users/{user_id}",
    "GET /v1/organization/projects/{id}/service_accounts",
    "POST /v1/organization/projects/{id}/service_accounts",
    "GET /v1/organization/projects/{id}/service_accounts/{account_id}",
    "POST /v1/organization/projects/{id}/service_accounts/{account_id}",
    "DELETE /v1/organization/projects/{id}/service_accounts/{account_id}",
    "GET /v1/organization/audit_logs",
    "POST /v1/fine_tuning/checkpoints/{id}/permissions",
    "GET /v1/fine_tuning/checkpoints/{id}/permissions",
    "DELETE /v1/fine_tuning/checkpoints/{id}/permissions/{permission_id}",
    "GET /v1/organization/costs",
    "GET /v1/organization/usage/completions",
    "GET /v1/organization/usage/embeddings",
    "GET /v1/organization/usage/moderations",
    "GET /v1/organization/usage/decisions",
    "GET /v1/organization/usage/tensors",
    "GET /v1/organization/usage/fine_tuning",
  ],
};

const accesses = new Map<string, Access[]>();
for (const [access, routes] of Object.entries(routesOf) as [Access, readonly string[]][]) {
  for (const route of routes) accesses.set(route, [...(accesses.get(route) ?? []), access]);
}

/** All that are listed, for whoever checks that they are there. */
export const listedRoutes = (): string[] => [...accesses.keys()];

type Described = Partial<Record<string, { security?: Record<string, string[]>[] }>>;

/** Writes into the contract which key opens what; a scope is a requirement of its own, as any of them will do. */
export function describeAccess(path: string, methods: object): void {
  for (const [method, operation] of Object.entries(methods as Described)) {
    if (!operation || operation.security?.length === 0) continue;
    operation.security = accessTo(method.toUpperCase(), path).map((access): Record<string, string[]> => {
      return access === "organization" ? { admin_key: [] } : { key: [access] };
    });
  }
}

/** A route that nobody listed is open to those alone who may do anything in their project. */
const unlisted: readonly Access[] = ["admin"];

/** `path` as the contract has it, such as `/v1/files/{id}`. */
export function accessTo(method: string, path: string): readonly Access[] {
  return accesses.get(`${method} ${path}`) ?? unlisted;
}
