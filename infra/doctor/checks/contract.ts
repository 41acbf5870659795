/** That it answers at all, and refuses as the SDK expects it: in the wrapper, with a code and a request id. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import type { Checks } from "../examine.ts";

async function refusal(response: Response, status: number, code: string): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, status, `${response.status}, not ${status}: ${text.slice(0, 100)}`);
  const { error } = JSON.parse(text) as { error: { code: string; message: string; type: string } };
  assert.equal(error.code, code, `error code ${error.code}, not ${code}`);
  assert.ok(error.message && error.type, "an error without message or type");
  assert.match(response.headers.get("x-request-id") ?? "", /^req_/, "an error without x-request-id");
}

export const contract: Checks = {
  async "it is up"({ ask }) {
    const health = await ask("/healthz", { key: null });
    assert.equal(health.status, 200, `/healthz answers ${health.status}`);
    const document = (await (await ask("/openapi.json", { key: null })).json()) as { info: { version: string } };
    return `version ${document.info.version}`;
  },

  async "errors keep the wrapper"({ ask, client, settings }) {
    const json = { "content-type": "application/json" };
    await refusal(await ask("/v1/models", { key: "sk-nobody" }), 401, "invalid_api_key");
    await refusal(await ask("/v1/no_such_thing"), 404, "unknown_url");
    await refusal(await ask("/v1/models", { method: "PATCH" }), 405, "method_not_allowed");
    await refusal(await ask("/v1/decisions", { method: "POST", body: "{", headers: json }), 400, "invalid_json");
    await refusal(
      await ask("/v1/chat/completions", { method: "POST", body: "{}", headers: json }),
      400,
      "missing_required_parameter",
    );
    const stranger = new OpenAI({ baseURL: settings.baseUrl, apiKey: "sk-nobody", maxRetries: 0 });
    await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
    await assert.rejects(client.models.retrieve("no-such-model"), OpenAI.NotFoundError);
    return "401, 404, 405 and 400, with codes and request ids";
  },

  async "lists pages"({ client }) {
    const models = await Array.fromAsync(client.models.list());
    assert.ok(
      models.some(({ id }) => id === "millrace-ngram"),
      "millrace-ngram is not among the models",
    );
    const jobs = await client.fineTuning.jobs.list({ limit: 1 });
    assert.ok(jobs.data.length <= 1, "a page of more than was asked for");
    return `${models.length} models`;
  },
};
