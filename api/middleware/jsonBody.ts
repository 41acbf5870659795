/** Reads JSON bodies: at most 4 MiB, well-formed UTF-8 and nothing else. */
import type { MiddlewareHandler } from "hono";
import { ApiError } from "../../shared/errors.ts";

const maxBytes = 4 * 1024 * 1024;
/** Clients read an answer only when they have sent their request: this much too much is read and thrown away. */
const patienceBytes = 16 * maxBytes;

export const readJsonBody: MiddlewareHandler = async (c, next) => {
  const isJson = /^application\/([\w.-]+\+)?json\b/i.test(c.req.header("content-type") ?? "");
  if (isJson && c.req.raw.body) {
    const text = decode(await collect(c.req.raw.body));
    if (text === "") throw new ApiError("invalid_json", "The request body is empty; it must be a JSON object.");
    // Declared as string, but read as a promise of one.
    c.req.bodyCache.text = Promise.resolve(text) as never;
  }
  await next();
};

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

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_encoding", "The request body is not valid UTF-8.", { cause });
  }
}

function tooLarge(): ApiError {
  return new ApiError("payload_too_large", `The request body is larger than ${maxBytes} bytes.`);
}
