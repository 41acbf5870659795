/** Sends a file's bytes: streamed through when small, by a link to the bucket when large. */
import { Readable } from "node:stream";
import type { Context } from "hono";
import type { FileContent } from "../services/files.ts";

export async function sendContent(c: Context, content: FileContent): Promise<Response> {
  if ("link" in content) return c.redirect(content.link, 302);
  const { file } = content;
  // What cannot be opened is answered by an error, which is of another length.
  const body = c.req.method === "HEAD" ? null : (Readable.toWeb(await content.open()) as ReadableStream);
  c.header("content-type", "application/octet-stream");
  c.header("content-length", String(file.bytes));
  c.header("content-disposition", attachment(file.filename));
  c.header("x-content-type-options", "nosniff");
  return c.body(body as ReadableStream, 200);
}

/** Both forms of RFC 6266: plain for old clients, UTF-8 for every script. */
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(filename).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
