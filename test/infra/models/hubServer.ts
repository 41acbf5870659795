/** A server that speaks the hub's protocol on loopback: its API, and a store of large files at another address. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubServerOptions {
  /** Content by path in the repository. */
  files: Record<string, Uint8Array | string>;
  token?: string;
  /** Cuts the first answers with this file's content after so many bytes each. */
  cuts?: { file: string; bytes: number[] };
  /** The digest it tells of a file, where that is not the right one. */
  digests?: Record<string, string>;
  /** Tells digests of large files only in the header of the redirect. */
  headersOnly?: boolean;
  /** Sends whole files whatever is asked for. */
  noRanges?: boolean;
  /** Statuses of the first requests for files. */
  failures?: number[];
}

export interface HubServer {
  url: string;
  /** Every request for content, as the store saw it: file, range and authorization. */
  seen: { file: string; range: string | undefined; authorization: string | undefined }[];
  close(): Promise<void>;
}

export const commit = "c0ffee".padEnd(40, "0");
export const repository = "acme/Tiny-BERT";

const bytesOf = (content: Uint8Array | string) => Buffer.from(content as string);
const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");
const blobOf = (content: Buffer) => createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
const isLarge = (file: string) => file.endsWith(".safetensors");

export async function startHub(options: HubServerOptions): Promise<HubServer> {
  const seen: HubServer["seen"] = [];
  const [cuts, failures] = [[...(options.cuts?.bytes ?? [])], [...(options.failures ?? [])]];
  const digestOf = (file: string) => options.digests?.[file] ?? sha256(bytesOf(options.files[file]!));

  const send = (file: string, request: IncomingMessage, response: ServerResponse) => {
    seen.push({ file, range: request.headers.range, authorization: request.headers.authorization });
    const content = bytesOf(options.files[file]!);
    const start = options.noRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start >= content.length && start > 0) return end(response, 416);
    const body = content.subarray(start);
    const range = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
    response.writeHead(start > 0 ? 206 : 200, { "content-length": body.length, ...(start > 0 && range) });
    const cut = options.cuts?.file === file ? cuts.shift() : undefined;
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };
  const store = await listen((request, response) => send(request.url!.slice(1), request, response));

  const describe = (response: ServerResponse) => {
    const siblings = Object.entries(options.files).map(([rfilename, content]) => {
      const [bytes, sha] = [bytesOf(content), digestOf(rfilename)];
      const lfs = isLarge(rfilename) && !options.headersOnly ? { lfs: { sha256: sha, size: bytes.length } } : {};
      const blobId = isLarge(rfilename) ? undefined : (options.digests?.[rfilename] ?? blobOf(bytes));
      return { rfilename, size: bytes.length, blobId, ...lfs };
    });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id: repository, sha: commit, siblings }));
  };
  const hub = await listen((request, response) => {
    if (options.token && request.headers.authorization !== `Bearer ${options.token}`) return end(response, 401);
    const { pathname } = new URL(request.url!, "http://hub");
    if (pathname === `/api/models/${repository}/revision/main`) return describe(response);
    const [root, file = ""] = pathname.split(`/resolve/${commit}/`);
    if (root !== `/${repository}` || !Object.hasOwn(options.files, file)) return end(response, 404);
    const failure = failures.shift();
    if (failure !== undefined) return end(response, failure);
    if (!isLarge(file)) return send(file, request, response);
    end(response, 302, { location: `${store.url}/${file}`, "x-linked-etag": `"${digestOf(file)}"` });
  });
  return { url: hub.url, seen, close: async () => void (await Promise.all([hub.close(), store.close()])) };
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
