/**
 * The Hugging Face hub's HTTP API: what a repository holds at a revision, and its files.
 * Reference: https://huggingface.co/docs/hub/api and `huggingface_hub`'s file_download.py
 */
import { z } from "zod";
import { Refusal } from "./refusal.ts";

export interface HubOptions {
  /** Such as `https://huggingface.co`. */
  endpoint: string;
  /** Needed for private and gated repositories. */
  token?: string | undefined;
}

export interface HubFile {
  name: string;
  bytes: number | undefined;
  /** SHA-256 of the content, or SHA-1 of git's blob, hex; undefined where the hub tells neither. */
  digest: string | undefined;
}

export interface HubRepository {
  name: string;
  /** What a branch or tag stood for when it was asked. */
  commit: string;
  /** Those of the top folder. */
  files: HubFile[];
}

/** The request may succeed when it is sent again. */
export class PassingFailure extends Error {
  override name = "PassingFailure";
}

export interface HubResponse {
  response: Response;
  /** SHA-256 of a large file, which only the hub's own answer tells, not that of the store it leads to. */
  linkedDigest: string | undefined;
}

export interface Hub {
  /** Throws Refusal when there is no such repository or revision, or the token does not open it. */
  describe(repository: string, revision: string): Promise<HubRepository>;
  /** The file from byte `from` on; 416 where it has no such byte. Throws PassingFailure, or Refusal. */
  open(repository: HubRepository, file: string, from: number): Promise<HubResponse>;
}

/** A name such as `sentence-transformers/all-MiniLM-L6-v2`, or without an organization. */
export const repositoryPattern = /^(\w[\w.-]*\/)?\w[\w.-]*$/;

const Described = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.int().nullish(),
      blobId: z.string().nullish(),
      lfs: z.object({ sha256: z.string(), size: z.int() }).nullish(),
    }),
  ),
});

export function createHub({ endpoint, token }: HubOptions): Hub {
  const origin = new URL(endpoint).origin;
  const at = (path: string) => new URL(`${endpoint.replace(/\/+$/, "")}/${path}`);

  const send = async (url: URL, what: string, headers: Record<string, string> = {}): Promise<HubResponse> => {
    let [next, linkedDigest] = [url, undefined as string | undefined];
    for (let hops = 0; hops < 6; hops++) {
      // The token is the hub's alone: a store it leads to must not see it.
      const authorization = token && next.origin === origin ? { authorization: `Bearer ${token}` } : undefined;
      const response = await reach(next, { ...headers, ...authorization });
      linkedDigest ??= unquoted(response.headers.get("x-linked-etag"));
      const location = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || location === null) {
        await requireSuccess(response, what);
        return { response, linkedDigest };
      }
      await response.body?.cancel();
      next = new URL(location, next);
    }
    throw new Refusal(`${what}: the hub leads from one address to the next without end.`);
  };

  return {
    async describe(repository, revision) {
      const url = at(`api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`);
      const { response } = await send(url, `${repository} at ${revision}`);
      const described = Described.safeParse(await response.json().catch(() => undefined));
      if (!described.success) throw new Refusal(`${url.href} does not answer as the hub's API does.`);
      const { sha, siblings } = described.data;
      return { name: repository, commit: sha, files: siblings.flatMap(fileOf) };
    },
    open(repository, file, from) {
      const url = at(`${repository.name}/resolve/${repository.commit}/${encodeURIComponent(file)}`);
      return send(url, `${file} of ${repository.name}`, from > 0 ? { range: `bytes=${from}-` } : {});
    },
  };
}

function fileOf({ rfilename, size, blobId, lfs }: z.infer<typeof Described>["siblings"][number]): HubFile[] {
  if (/[/\\]/.test(rfilename)) return [];
  // The blob of a large file is only git's pointer to it.
  const large = lfs && { bytes: lfs.size, digest: lfs.sha256 };
  return [{ name: rfilename, bytes: size ?? undefined, digest: blobId ?? undefined, ...large }];
}

function unquoted(etag: string | null): string | undefined {
  return etag?.replace(/^W\//, "").replaceAll('"', "");
}

async function reach(url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    // Compressed bytes could not be counted, or asked for from the middle.
    return await fetch(url, { redirect: "manual", headers: { "accept-encoding": "identity", ...headers } });
  } catch (error) {
    const cause = (error as Error).cause as Error | undefined;
    throw new PassingFailure(`${url.origin} cannot be reached: ${cause?.message || (error as Error).message}`);
  }
}

async function requireSuccess(response: Response, what: string): Promise<void> {
  const { status } = response;
  if (response.ok || status === 416) return;
  await response.body?.cancel();
  if (status === 429 || status >= 500) throw new PassingFailure(`${what}: the hub answered ${status}`);
  if (status === 404) throw new Refusal(`${what}: the hub has no such thing (404).`);
  const hint =
    status === 401 || status === 403 ? " It is private or gated, or not there: set HF_TOKEN to open it." : "";
  throw new Refusal(`${what}: the hub answered ${status}.${hint}`);
}
