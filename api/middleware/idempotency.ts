/** Every POST is safe to send again: by its `Idempotency-Key`, or as SDKs do it, by its body and a count of tries. */
import { createHash } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { ApiError } from "../../shared/errors.ts";
import type { KeptAnswer } from "../../shared/stores/claims.ts";
import type { Env } from "../router.ts";
import { attemptIn } from "../routes/retries.ts";
import type { RequestClaims } from "../services/requestClaims.ts";
import { openWith, sealFor } from "./sealedAnswers.ts";

/** Larger answers are not kept, and the work is done again for whoever asks again: a row has no room for them. */
const mostKept = 256 * 1024;
const longestKey = 256;

/**
 * Known by a key alone: they change nothing, or nothing twice, and are called too often to write down what each of them
 * was. Feedback that is given again is the feedback there is.
 */
const byKeyAlone =
  /^\/v1\/(chat\/completions|completions|responses|decisions|embeddings|moderations|feedback|models\/[^/]+\/infer|fine_tuning\/alpha\/graders\/.+)$/;

/** Their answers hold secrets, and are kept sealed. */
const secret =
  /\/((admin_)?api_keys(\/[^/]+\/rotate)?|service_accounts)$|^\/v1\/webhook_endpoints(\/[^/]+\/rotate_secret)?$/;

/** What an answer says in its headers beside what every answer does. */
const keptHeaders = /^(content-type|location|x-millrace-.+)$/;

export function replayRepeated(claims: RequestClaims): MiddlewareHandler<Env> {
  return async (c, next) => {
    const fingerprint = c.req.method === "POST" ? await fingerprintOf(c) : undefined;
    if (fingerprint === undefined) return next();
    const { signal } = c.req.raw;
    const request = { ...attemptIn(c), fingerprint, signal, requestId: c.var.requestId };
    const { actor } = c.var;
    const begun = await claims.begin({ id: actor.project_id ?? actor.organization_id }, request);
    c.set("requestId", begun.requestId);
    if ("answer" in begun) return replay(c, begun.answer);
    c.set("claimed", begun.requestId);
    await next();
    const { status } = c.res;
    // What was refused changed nothing; what failed may have changed something.
    if (status >= 400 && status < 500) return begun.forget();
    const answer = status < 400 ? await keptOf(c) : undefined;
    await (answer ? begun.keep(answer) : begun.letGo());
  };
}

/** Undefined where the request is not to be known again. */
async function fingerprintOf(c: Context<Env>): Promise<string | undefined> {
  const { req } = c;
  const key = req.header("idempotency-key");
  const text: string | undefined = await req.bodyCache.text;
  if (key !== undefined && (key.length < 1 || key.length > longestKey)) {
    const message = `An Idempotency-Key has 1 to ${longestKey} characters.`;
    throw new ApiError("invalid_value", message, { param: "Idempotency-Key" });
  }
  const size = req.header("content-length") ?? (req.header("transfer-encoding") === undefined ? "0" : "");
  const isUnread = text === undefined && size !== "0";
  const isByBody = req.header("x-stainless-retry-count") !== undefined && !byKeyAlone.test(req.path) && !isUnread;
  if (key === undefined && !isByBody) return undefined;
  const { pathname, search } = new URL(req.url);
  // Of what is not read at once, such as a file, only the size is known before it is stored.
  const body = text ?? size;
  return createHash("sha256").update(`${pathname}${search}\n${body}`).digest("hex");
}

/** Undefined for what streams or is too large. */
async function keptOf(c: Context<Env>): Promise<KeptAnswer | undefined> {
  const response = c.res;
  if (!response.headers.get("content-type")?.startsWith("application/json")) return undefined;
  const body = await response.clone().text();
  if (Buffer.byteLength(body) > mostKept) return undefined;
  const headers = Object.fromEntries([...response.headers].filter(([name]) => keptHeaders.test(name)));
  const kept = { status: response.status, headers };
  return secret.test(c.req.path) ? { ...kept, body: sealFor(bearer(c), body), is_sealed: true } : { ...kept, body };
}

const bearer = (c: Context<Env>) => c.req.header("authorization") ?? "";

function bodyOf(c: Context<Env>, { body, is_sealed }: KeptAnswer): string {
  if (!is_sealed) return body;
  const opened = openWith(bearer(c), body);
  if (opened !== undefined) return opened;
  const message = "This Idempotency-Key was used with another API key, which alone is shown the secret that it made.";
  throw new ApiError("idempotency_key_reused", message, { param: "Idempotency-Key" });
}

function replay(c: Context<Env>, answer: KeptAnswer): Response {
  const body = bodyOf(c, answer);
  const { status, headers } = answer;
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.header("idempotent-replayed", "true");
  return c.body(body, status as 200);
}
