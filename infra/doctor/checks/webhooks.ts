/** Webhooks: a job's end is told to who asked to be told, signed so that the SDK believes it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { type Checks, Skipped, until } from "../examine.ts";
import type { Patient } from "../patient.ts";

const type = "fine_tuning.job.succeeded";
interface Endpoint {
  id: string;
  signing_secret: string;
}

interface Received {
  headers: Headers;
  body: string;
}

const listening = new WeakMap<Patient, { endpoint: Endpoint; received: Received[] | undefined }>();

/** On this machine, for deployments on it. */
async function startReceiver(received: Received[], later: Patient["later"]): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    received.push({ headers: new Headers(request.headers as Record<string, string>), body });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  later("the receiver", async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
}

/** Before the job is asked for. */
export const listen: Checks = {
  async "a webhook endpoint is taken"(patient) {
    const { client, settings, later } = patient;
    const isHere = /^(localhost|127\.|\[::1\])/.test(new URL(settings.baseUrl).hostname);
    if (!settings.webhookUrl && !isHere) throw new Skipped("give --webhook-url that takes what is sent to it");
    const received: Received[] | undefined = settings.webhookUrl ? undefined : [];
    const url = settings.webhookUrl ?? (await startReceiver(received!, later));
    try {
      const endpoint = await client.post<Endpoint>("/webhook_endpoints", {
        body: { name: "doctor", url, event_types: [type] },
      });
      later("the webhook endpoint", () => client.delete(`/webhook_endpoints/${endpoint.id}`));
      listening.set(patient, { endpoint, received });
    } catch (error) {
      const isRefused = !settings.webhookUrl && error instanceof OpenAI.BadRequestError;
      if (isRefused) throw new Skipped("it sends none to this machine: start it with MILLRACE_WEBHOOK_LOCAL=true");
      throw error;
    }
    return new URL(url).host;
  },
};

export const webhooks: Checks = {
  async "the job's end is told"(patient) {
    const known = listening.get(patient);
    const { job, model } = patient.made;
    if (!known || !job || !model) throw new Skipped(known ? "no job succeeded" : "there is no endpoint");
    const { endpoint, received } = known;
    const limit = { what: "the delivery", seconds: patient.settings.webhookPatienceSeconds };
    if (!received) return logged(patient, endpoint, limit);
    const { headers, body } = await until(async () => received.find(({ body }) => body.includes(job)), limit);
    const event = await patient.client.webhooks.unwrap(body, headers, endpoint.signing_secret);
    assert.equal(event.type, type);
    return `${received.length} came, signed`;
  },
};

interface Delivery {
  status: string;
  attempts: { latency_ms: number; error: string | null }[];
}

/** Where it cannot be seen what came, the deployment's own log says what was answered. */
async function logged(
  { client }: Patient,
  { id }: Endpoint,
  limit: { what: string; seconds: number },
): Promise<string> {
  const path = `/webhook_endpoints/${id}/deliveries`;
  let last: Delivery | undefined;
  const succeeded = async () => {
    last = (await client.get<{ data: Delivery[] }>(path)).data[0];
    return last?.status === "succeeded" && last;
  };
  const delivery = await until(succeeded, limit).catch((error: Error) => {
    throw new Error(`${error.message}; ${last?.attempts.at(-1)?.error ?? "nothing was tried"}`);
  });
  return `answered after ${delivery.attempts.at(-1)?.latency_ms} ms, by the log`;
}
