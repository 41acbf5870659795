/** What the bucket's door asks: whether an object is to be sealed, and how one opens. */
import type { Readable } from "node:stream";
import { LRUCache } from "lru-cache";
import { ApiError } from "../errors.ts";
import type { EncryptionKeys } from "../stores/encryptionKeys.ts";
import type { Projects } from "../stores/projects.ts";
import { createKeyDirectory } from "./keyDirectory.ts";
import { type EncryptionSettings, KeyGone, type KeyProvider } from "./keyProvider.ts";
import { createKmsKeys } from "./kmsKeys.ts";
import { createOrganizationKeys, type OrganizationKeys } from "./organizationKeys.ts";
import { loadSealedStreams } from "./sealedStreams.ts";

export interface Sealing {
  keys: OrganizationKeys;
  /** Undefined where the object belongs to no organization. Throws `refusal` where its key is deleted. */
  seal(object: string): Promise<{ version: number; seal(plain: Readable): Readable } | undefined>;
  /** What was sealed. Throws likewise. */
  open(object: string, version: number, sealed: Readable): Promise<Readable>;
  /** Throws likewise for a plain object: it is older than the organization's key. */
  requirePlain(object: string): Promise<void>;
  /** Whether what the project stored at that Unix time in seconds may still be read. */
  isReadable(project: string, stored_at: number): Promise<boolean>;
}

export interface SealingOptions extends EncryptionSettings {
  /** What is thrown where a key is deleted; absent: ApiError. */
  refusal?: ((message: string, cause: unknown) => Error) | undefined;
}

const providers: Record<EncryptionSettings["provider"], (at: string) => KeyProvider> = {
  file: createKeyDirectory,
  kms: createKmsKeys,
};

/** Project ids whose organization is remembered: it never changes. */
const mostRemembered = 100_000;

export const keyDeleted = (cause: unknown): ApiError =>
  new ApiError("encryption_key_deleted", keyDeletedMessage, { cause });
const keyDeletedMessage =
  "The organization's encryption key was deleted: what was stored under it cannot be read any more.";

export function createSealing(
  { provider, at, refusal = (_message, cause) => keyDeleted(cause) }: SealingOptions,
  stores: { encryptionKeys: EncryptionKeys; projects: Pick<Projects, "get"> },
): Sealing {
  const keys = createOrganizationKeys(stores.encryptionKeys, providers[provider](at));
  const streams = loadSealedStreams();
  streams.catch(() => {});
  const organizations = new LRUCache<string, string>({
    max: mostRemembered,
    fetchMethod: async (project) => (await stores.projects.get(project))?.organization_id,
  });
  const organizationOf = async (project: string): Promise<string> => {
    const organization = await organizations.fetch(project);
    if (organization === undefined) throw new Error(`There is no project ${project}`);
    return organization;
  };
  const refusing = async <Value>(asked: Promise<Value>): Promise<Value> => {
    try {
      return await asked;
    } catch (error) {
      throw error instanceof KeyGone ? refusal(keyDeletedMessage, error) : error;
    }
  };

  return {
    keys,
    async seal(object) {
      const project = projectOf(object);
      if (project === undefined) return undefined;
      const organization = await organizationOf(project);
      const key = await refusing(keys.current(organization));
      const { seal } = await streams;
      return { version: key.version, seal: (plain) => seal(key, { organization, project, object }, plain) };
    },
    async open(object, version, sealed) {
      const project = projectOf(object);
      if (project === undefined) throw new Error(`${object} is sealed, and belongs to no organization`);
      const organization = await organizationOf(project);
      const key = await refusing(keys.version(organization, version));
      return (await streams).open(key, { organization, project, object }, sealed);
    },
    async requirePlain(object) {
      const project = projectOf(object);
      if (project === undefined) return;
      const organization = await organizationOf(project);
      if (!(await keys.isReadable(organization, 0))) throw refusal(keyDeletedMessage, new KeyGone(organization));
    },
    async isReadable(project, stored_at) {
      return keys.isReadable(await organizationOf(project), stored_at);
    },
  };
}

/** Undefined for what is the deployment's own. */
export function projectOf(object: string): string | undefined {
  return /^(proj_[^/]+)\//.exec(object)?.[1];
}
