/** Reads JSON bodies: at most 4 MiB as they come, well-formed UTF-8, nested no deeper than anybody needs, and nothing else. */
import type { HonoRequest, MiddlewareHandler } from "hono";
import { isNestedDeeper } from "../../shared/engine/jsonDepth.ts";
import { ApiError } from "../../shared/errors.ts";

const maxBytes = 4 * 1024 * 1024;
/** Clients read an answer only when they have sent their request: this much too much is read and thrown away. */
const patienceBytes = 16 * maxBytes;
/** What walks a body does so by recursion. */
const deepest = 100;

export const readJsonBody: MiddlewareHandler = async (c, next) => {
  refuseCompressed(c.req);
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(c.req.header("content-type") ?? "");
  const bytes = isJson && (await read(c.req));
  if (bytes) {
    const text = decode(bytes);
    if (isNestedDeeper(bytes, deepest)) {
      throw new ApiError("invalid_json", `The request body is nested more than ${deepest} deep.`);
    }
    if (mayDisguise(text)) refuseDisguises(text);
    if (text === "") throw new ApiError("invalid_json", "The request body is empty; it must be a JSON object.");
    // Declared as string, but read as a promise of one.
    c.req.bodyCache.text = Promise.resolve(text) as never;
  }
  await next();
};

/** Looked at twice only where it holds such a name, plainly or as escapes of its letters. */
const mayDisguise = (text: string) =>
  text.includes("__proto__") || text.includes('"constructor"') || (text.includes("\\u00") && /\\u00[5-7]/.test(text));

/** What takes an object by its constructor's name for a Set, or by its prototype for another, is not to be led astray. */
function refuseDisguises(text: string): void {
  const look = (name: string, value: unknown) => {
    if (name === "__proto__" || (name === "constructor" && typeof value === "object" && value !== null)) {
      throw new ApiError("invalid_value", `No field may be named '${name}' and hold that.`, { param: name });
    }
    return value;
  };
  try {
    JSON.parse(text, look);
  } catch (error) {
    // What is no JSON is told of where it is read.
    if (error instanceof ApiError) throw error;
  }
}

/** A few bytes may inflate to any number of them: bodies are measured as they come, and come as they are. */
function refuseCompressed(request: HonoRequest): void {
  const encoding = request.header("content-encoding") ?? "identity";
  if (/^identity$/i.test(encoding.trim())) return;
  throw new ApiError("unsupported_media_type", "The request body must not be compressed: send no content-encoding.");
}

/** Undefined where there is no body. */
async function read(request: HonoRequest): Promise<Uint8Array | undefined> {
  const { raw, method } = request;
  const declared = Number(request.header("content-length") ?? Number.NaN);
  // A body whose length is known needs no stream, which would cost more than all else on its way.
  if (method === "POST" && declared <= maxBytes) return new Uint8Array(await raw.arrayBuffer());
  return raw.body ? collect(raw.body) : undefined;
}

async function collect(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else if (bytes > patienceBytes) break;
  }
  if (bytes > maxBytes) throw tooLarge();
  return Buffer.concat(chunks);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_encoding", "The request body is not valid UTF-8.", { cause });
  }
}

function tooLarge(): ApiError {
  return new ApiError("payload_too_large", `The request body is larger than ${maxBytes} bytes.`);
}
