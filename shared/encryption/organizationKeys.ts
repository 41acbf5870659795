/** Organizations' keys at work: opened where they are kept, held in memory a while, and put away when they are deleted. */
import { keptPromise } from "../engine/keptPromise.ts";
import type { EncryptionKeyRecord, EncryptionKeyVersion } from "../schemas/encryptionKey.ts";
import type { EncryptionKeys } from "../stores/encryptionKeys.ts";
import type { TransactWrite } from "../stores/table.ts";
import { createKeptAhead } from "./keptAhead.ts";
import { KeyGone, type KeyProvider } from "./keyProvider.ts";

export interface OpenKey {
  organization: string;
  version: number;
  /** 32. */
  bytes: Buffer;
}

/** Lines to be written with the change, such as the audit log's. */
export type Also = (version: number) => TransactWrite[];

export interface OrganizationKeys {
  /** What seals what is new; made where there was none yet. Throws KeyGone where it was deleted. */
  current(organization: string): Promise<OpenKey>;
  /** Throws likewise. */
  version(organization: string, version: number): Promise<OpenKey>;
  /** Of what was stored at that Unix time in seconds, sealed or not. */
  isReadable(organization: string, stored_at: number): Promise<boolean>;
  /** As the row says now. */
  get(organization: string): Promise<EncryptionKeyRecord | undefined>;
  /** A new version for what is new from now on; after a deletion it is the first that may be used again. */
  rotate(organization: string, also: Also): Promise<EncryptionKeyRecord>;
  /** Undefined where there is none. Deleted in the table at once, elsewhere by `destroy`. */
  delete(organization: string, also: Also): Promise<EncryptionKeyRecord | undefined>;
  /** Destroys what a deletion left where the keys are kept. */
  destroy(record: EncryptionKeyRecord): Promise<void>;
  /** The same for those of whom a deletion died; how many they were. Throws after all were tried, where one was not destroyed. */
  destroyAll(limit: number): Promise<number>;
}

/** How long a key stays in memory: whoever takes it away where it is kept must wait so long, who deletes it here two seconds. */
const keyAges = { fresh: 4 * 60_000, most: 5 * 60_000 };
const rowAges = { fresh: 1000, most: 2000 };

const bindingOf = (organization: string, version: number) => ({ organization, version: String(version) });
const now = () => Math.floor(Date.now() / 1000);
const latestOf = ({ versions }: EncryptionKeyRecord) => versions.at(-1)!;

/** Versions of keys, as the provider makes and opens them. */
function createVersions(rows: EncryptionKeys, provider: KeyProvider) {
  const opened = createKeptAhead<Buffer, { organization: string; version: EncryptionKeyVersion }>(
    (_name, { organization, version: { key, wrapped, version } }) =>
      provider.unwrap(key, Buffer.from(wrapped!, "base64"), bindingOf(organization, version)),
    keyAges,
  );
  const create = async (organization: string, version: number): Promise<EncryptionKeyVersion> => {
    const key = await provider.create(organization, version);
    const { wrapped } = await provider.generate(key, bindingOf(organization, version));
    return { version, key, wrapped: wrapped.toString("base64"), created_at: now() };
  };

  /** Writes what it can, and destroys the new key where somebody else was first. */
  const first = async (organization: string, also: readonly TransactWrite[] = []) => {
    const version = await create(organization, 1);
    const record: EncryptionKeyRecord = {
      ...{ organization_id: organization, revision: 0, versions: [version], deleted_at: null, doomed: [] },
    };
    if (await rows.create(record, also)) return record;
    // Nobody uses it; whoever may not destroy it leaves it there.
    await provider.destroy(version.key).catch(() => {});
    return undefined;
  };

  const rotated = async (before: EncryptionKeyRecord, also: Also) => {
    const organization = before.organization_id;
    const version = await create(organization, latestOf(before).version + 1);
    const versions = [...before.versions, version];
    const record = await rows.change(before, { versions }, also(version.version));
    if (!record) await provider.destroy(version.key);
    return record;
  };

  return {
    first,
    rotated,
    async open(organization: string, version: EncryptionKeyVersion | undefined): Promise<OpenKey> {
      if (!version || version.wrapped === null) throw new KeyGone(`${organization}/${version?.version ?? "?"}`);
      // By what is wrapped, so that no other organization's or version's is ever found.
      const name = `${organization}/${version.version}/${version.wrapped}`;
      const bytes = await opened.get(name, { organization, version });
      return { organization, version: version.version, bytes };
    },
  };
}

export function createOrganizationKeys(rows: EncryptionKeys, provider: KeyProvider): OrganizationKeys {
  const recent = createKeptAhead((organization: string) => rows.get(organization), rowAges);
  const { open, first, rotated } = createVersions(rows, provider);

  /** Once for all who store the organization's first contents at the same time. */
  const making = new Map<string, Promise<EncryptionKeyRecord>>();
  const made = async (organization: string) => {
    try {
      return (await first(organization)) ?? (await rows.get(organization))!;
    } finally {
      making.delete(organization);
      recent.forget(organization);
    }
  };

  const destroy: OrganizationKeys["destroy"] = async (record) => {
    for (const key of record.doomed) await provider.destroy(key);
    await rows.change(record, { doomed: [] });
  };

  return {
    get: (organization) => rows.get(organization),
    async current(organization) {
      const record =
        (await recent.get(organization)) ?? (await keptPromise(making, organization, () => made(organization)));
      return open(organization, latestOf(record));
    },
    async version(organization, version) {
      const among = (record: EncryptionKeyRecord | undefined) =>
        record?.versions.find((one) => one.version === version);
      // One that is not known yet may be a moment old.
      const found = among(await recent.get(organization)) ?? among(await recent.again(organization));
      return open(organization, found);
    },
    async isReadable(organization, stored_at) {
      return stored_at > ((await recent.get(organization))?.deleted_at ?? -1);
    },
    async rotate(organization, also) {
      for (;;) {
        const before = await rows.get(organization);
        const record = before ? await rotated(before, also) : await first(organization, also(1));
        if (!record) continue;
        recent.forget(organization);
        return record;
      }
    },
    async delete(organization, also) {
      for (;;) {
        const before = await rows.get(organization);
        if (!before || latestOf(before).wrapped === null) return before;
        const versions = before.versions.map((version) => ({ ...version, wrapped: null }));
        const living = before.versions.filter(({ wrapped }) => wrapped !== null).map(({ key }) => key);
        const changes = { versions, deleted_at: now(), doomed: [...before.doomed, ...living] };
        const record = await rows.change(before, changes, also(latestOf(before).version));
        if (!record) continue;
        recent.forget(organization);
        return record;
      }
    },
    destroy,
    async destroyAll(limit) {
      const found = await rows.doomed(limit);
      const outcomes = await Promise.allSettled(found.map(destroy));
      const failures = outcomes.flatMap((outcome) => ("reason" in outcome ? [outcome.reason] : []));
      if (failures.length) throw new AggregateError(failures, `${failures.length} deleted keys were not destroyed`);
      return found.length;
    },
  };
}
