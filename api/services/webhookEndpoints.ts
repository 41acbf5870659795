/** Webhook endpoints as a client sees them: made, changed, tried out and deleted. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId, newId } from "../../shared/ids.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import {
  type CreateWebhookEndpoint,
  mostEndpoints,
  type RotateWebhookSecret,
  type TestWebhookEndpoint,
  type UpdateWebhookEndpoint,
  type WebhookEndpoint,
  type WebhookEndpointRecord,
  type WebhookEndpointTest,
  type WebhookEndpointWithSecret,
} from "../../shared/schemas/webhookEndpoint.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Due, EndpointChanges } from "../../shared/stores/webhookEndpoints.ts";
import { urlFault } from "../../shared/webhooks/addresses.ts";
import { deliver, type WebhookContext } from "../../shared/webhooks/deliver.ts";
import { addSecret } from "../../shared/webhooks/secrets.ts";
import { hintOf } from "../../shared/webhooks/signature.ts";
import type { Paging } from "./fineTuningJobs.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface WebhookSettings extends WebhookContext {
  /** The operator's switch: plain HTTP, any port, any address. */
  local: boolean;
}

export interface WebhookEndpointService {
  create(project: Project, request: CreateWebhookEndpoint, attempt: Attempt): Promise<WebhookEndpointWithSecret>;
  get(project: Project, id: string): Promise<WebhookEndpoint>;
  /** Newest first. */
  list(project: Project, paging: Paging): Promise<Page<WebhookEndpoint>>;
  update(project: Project, id: string, request: UpdateWebhookEndpoint): Promise<WebhookEndpoint>;
  delete(project: Project, id: string): Promise<void>;
  rotate(
    project: Project,
    id: string,
    request: RotateWebhookSecret,
    attempt: Attempt,
  ): Promise<WebhookEndpointWithSecret>;
  /** Sends a sample, of which no log is kept. */
  test(project: Project, id: string, request: TestWebhookEndpoint): Promise<WebhookEndpointTest>;
}

const now = () => Math.floor(Date.now() / 1000);

export function createWebhookEndpointService(
  { webhookEndpoints: endpoints }: Pick<Stores, "webhookEndpoints">,
  settings: WebhookSettings,
): WebhookEndpointService {
  const require = async (project: Project, id: string): Promise<WebhookEndpointRecord> => {
    const endpoint = isId("webhook_endpoint", id) ? await endpoints.get(project.id, id) : undefined;
    if (!endpoint) throw notFound("webhook endpoint", id);
    return endpoint;
  };
  /** A worker, too, writes to the row: whoever loses the race looks again. */
  const change = async (
    project: Project,
    id: string,
    changesOf: (endpoint: WebhookEndpointRecord) => { changes: EndpointChanges; due?: Due } | undefined,
  ): Promise<WebhookEndpointRecord> => {
    for (;;) {
      const endpoint = await require(project, id);
      const wanted = changesOf(endpoint);
      if (!wanted) return endpoint;
      if (await endpoints.change(endpoint, wanted.changes, wanted)) return { ...endpoint, ...wanted.changes };
    }
  };
  const checkUrl = (url: string | undefined): void => {
    const fault = url === undefined ? undefined : urlFault(url, settings);
    if (fault) throw new ApiError("invalid_value", `The URL ${fault}.`, { param: "url" });
  };
  const requireRoom = async ({ id }: Project): Promise<void> => {
    if ((await endpoints.list(id, { limit: mostEndpoints })).length < mostEndpoints) return;
    throw new ApiError("invalid_state", `A project has ${mostEndpoints} webhook endpoints at most: delete one.`);
  };
  const rotate: WebhookEndpointService["rotate"] = async (project, id, request, { claimed: madeBy }) => {
    let signing_secret = "";
    const endpoint = await change(project, id, ({ secrets: earlier, ...endpoint }) => {
      const keepEarlier = request.keep_old_secret_active_for_24_hours;
      const { secret, secrets } = addSecret(endpoint, settings.sealer, { earlier, keepEarlier, madeBy });
      signing_secret = secret;
      return { changes: { secrets, signing_secret_hint: hintOf(secret), updated_at: now() } };
    });
    return { ...endpoint, signing_secret };
  };

  return {
    get: require,
    async create(project, { name, url, event_types }, attempt) {
      checkUrl(url);
      const named = { id: idFor("webhook_endpoint", attempt), project_id: project.id };
      // Its maker died before anybody saw the secret.
      const replace = () => rotate(project, named.id, { keep_old_secret_active_for_24_hours: false }, attempt);
      if (await endpoints.get(project.id, named.id)) return replace();
      await requireRoom(project);
      const change = { earlier: [], keepEarlier: false, madeBy: attempt.claimed };
      const { secret, secrets } = addSecret(named, settings.sealer, change);
      const record: WebhookEndpointRecord = {
        ...named,
        ...{ object: "webhook_endpoint", name, url, event_types: [...new Set(event_types)] },
        ...{ status: "enabled", disabled_reason: null, failing_since: null },
        ...{ signing_secret_hint: hintOf(secret), secrets, created_at: now(), updated_at: now() },
        ...{ lease: null, revision: 1 },
      };
      return (await endpoints.create(record)) ? { ...record, signing_secret: secret } : replace();
    },
    async list(project, { limit, after }) {
      const options = { limit: limit + 1, descending: true, ...(after && { after }) };
      return toPage(await endpoints.list(project.id, options), limit);
    },
    async update(project, id, request) {
      checkUrl(request.url);
      return change(project, id, (endpoint) => updateOf(endpoint, request));
    },
    async delete(project, id) {
      while (!(await endpoints.delete(await require(project, id))));
    },
    rotate,
    test: async (project, id, { event_type }) => sendSample(settings, await require(project, id), event_type),
  };
}

async function sendSample(
  settings: WebhookSettings,
  endpoint: WebhookEndpointRecord,
  event_type: TestWebhookEndpoint["event_type"],
): Promise<WebhookEndpointTest> {
  const event = { id: newId("webhook_event"), object: "event" as const, created_at: now(), type: event_type };
  const sent = await deliver(settings, endpoint, { ...event, data: { id: "sample" } });
  if (sent.status_code === null) throw new ApiError("invalid_state", sent.error!, { param: "id" });
  return {
    ...{ object: "webhook_endpoint.test", webhook_endpoint_id: endpoint.id, event_type },
    ...{ success: true, status_code: sent.status_code },
  };
}

/** Undefined where nothing changes. */
function updateOf(endpoint: WebhookEndpointRecord, { status, event_types, ...request }: UpdateWebhookEndpoint) {
  const wanted = { ...request, ...(event_types && { event_types: [...new Set(event_types)] }) };
  const settings = Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => {
      return JSON.stringify(endpoint[name as keyof typeof wanted]) !== JSON.stringify(value);
    }),
  );
  const switched = status !== undefined && status !== endpoint.status;
  if (!switched && Object.keys(settings).length === 0) return undefined;
  const changes: EndpointChanges = { ...settings, updated_at: now() };
  if (!switched) return { changes };
  const disabled_reason = status === "enabled" ? null : ("by_request" as const);
  // Enabled again, it is looked at at once: what waited may be due.
  const due = status === "enabled" ? Date.now() : null;
  return { changes: { ...changes, status, disabled_reason, failing_since: null }, due };
}
