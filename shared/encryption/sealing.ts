/** What the doors of bucket and table ask: whether what a project stores is to be sealed, and how it opens. */
import type { Readable } from "node:stream";
import { LRUCache } from "lru-cache";
import { ApiError } from "../errors.ts";
import type { EncryptionKeys } from "../stores/encryptionKeys.ts";
import type { Projects } from "../stores/projects.ts";
import { createKeyDirectory } from "./keyDirectory.ts";
import { type EncryptionSettings, KeyGone, type KeyProvider, KeyUnavailable } from "./keyProvider.ts";
import { createKmsKeys } from "./kmsKeys.ts";
import { createOrganizationKeys, type OpenKey, type OrganizationKeys } from "./organizationKeys.ts";
import { loadSealedStreams } from "./sealedStreams.ts";

export interface Sealing {
  keys: OrganizationKeys;
  /** Undefined where the object belongs to no organization. Throws `refusal` where its key is deleted. */
  seal(object: string): Promise<{ version: number; seal(plain: Readable): Readable } | undefined>;
  /** What was sealed. Throws likewise. */
  open(object: string, version: number, sealed: Readable): Promise<Readable>;
  /** Throws likewise for a plain object: it is older than the organization's key. */
  requirePlain(object: string): Promise<void>;
  rows: RowKeys;
  /** What is thrown where a key is deleted. */
  refusal(cause: unknown): Error;
  /** Whether what the project stored at that Unix time in seconds may still be read. */
  isReadable(project: string, stored_at: number): Promise<boolean>;
}

/** By the project whose rows they are. All throw ApiError `encryption_key_unavailable` where the key cannot be used for now. */
export interface RowKeys {
  /** What seals what is new. Throws KeyGone where it is deleted. */
  current(project: string): Promise<OpenKey>;
  /** Throws likewise. */
  version(project: string, version: number): Promise<OpenKey>;
  /** Whether what was stored before there was a key may be read. */
  isPlainReadable(project: string): Promise<boolean>;
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
export const keyDeletedMessage =
  "The organization's encryption key was deleted: what was stored under it cannot be read any more.";

const keyUnavailable = (organization: string, cause: unknown): ApiError => {
  const message = `The encryption key of organization ${organization} cannot be used now: it is disabled, denied or out of reach where it is kept. Nothing is lost; what is sealed under it opens again when the key can be used.`;
  return new ApiError("encryption_key_unavailable", message, { cause });
};

/** The keys, where one that cannot be used for now is an answer to a client. */
function answering(keys: OrganizationKeys): OrganizationKeys {
  const told =
    <Rest extends unknown[], Value>(ask: (organization: string, ...rest: Rest) => Promise<Value>) =>
    async (organization: string, ...rest: Rest): Promise<Value> => {
      try {
        return await ask(organization, ...rest);
      } catch (error) {
        throw error instanceof KeyUnavailable ? keyUnavailable(organization, error) : error;
      }
    };
  return { ...keys, current: told(keys.current), version: told(keys.version), rotate: told(keys.rotate) };
}

export function createSealing(
  { provider, at, refusal: refuse = (_message, cause) => keyDeleted(cause) }: SealingOptions,
  stores: { encryptionKeys: EncryptionKeys; projects: Pick<Projects, "get"> },
): Sealing {
  const keys = answering(createOrganizationKeys(stores.encryptionKeys, providers[provider](at)));
  const refusal = (cause: unknown) => refuse(keyDeletedMessage, cause);
  const streams = loadSealedStreams();
  streams.catch(() => {});
  const organizations = new LRUCache<string, string>({
    max: mostRemembered,
    fetchMethod: async (project) => (await stores.projects.get(project))?.organization_id,
  });
  const organizationOf = async (project: string): Promise<string> => {
    const organization = organizations.get(project) ?? (await organizations.fetch(project));
    if (organization === undefined) throw new Error(`There is no project ${project}`);
    return organization;
  };
  const refusing = async <Value>(asked: Promise<Value>): Promise<Value> => {
    try {
      return await asked;
    } catch (error) {
      throw error instanceof KeyGone ? refusal(error) : error;
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
      if (!(await keys.isReadable(organization, 0))) throw refusal(new KeyGone(organization));
    },
    refusal,
    rows: {
      current: async (project) => keys.current(await organizationOf(project)),
      version: async (project, version) => keys.version(await organizationOf(project), version),
      isPlainReadable: async (project) => keys.isReadable(await organizationOf(project), 0),
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
