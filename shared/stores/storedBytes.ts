/**
 * What a project's files take: the sum of their rows, which is right whoever wrote, deleted or was killed, and whatever
 * expired. Uploads on their way have a row of their own that counts until the file's row is there, so that many at once do
 * not pass a quota together; one whose process died stops to count by itself.
 */
import { type Table, tableSchema } from "./table.ts";

export interface StoredBytes {
  /** Of the project's files that live, without uploads on their way. */
  of(project: string): Promise<number>;
  /** Room for an upload, by its file's id; false where it would pass the quota. To be released whatever becomes of it. */
  reserve(project: string, upload: { id: string; bytes: number; quota: number }): Promise<boolean>;
  release(project: string, id: string): Promise<void>;
}

/** Longer than an upload takes. */
const uploadSeconds = 2 * 60 * 60;
const page = 2000;

const fileList = (project: string) => `${project}#file`;
const uploadList = (project: string) => `${project}#upload`;

const sum = (sizes: readonly [string, number][]) => sizes.reduce((all, [, bytes]) => all + bytes, 0);

export function createStoredBytes(table: Table): StoredBytes {
  const sizes = async (list: string): Promise<[id: string, bytes: number][]> => {
    const now = Date.now() / 1000;
    const found: [string, number][] = [];
    for (let after: string | undefined; ; ) {
      const items = await table.query(list, { limit: page, ...(after !== undefined && { after }) });
      for (const { sk, bytes: own, [tableSchema.timeToLive]: end } of items) {
        if (end === undefined || Number(end) > now) found.push([String(sk), Number(own)]);
      }
      if (items.length < page) return found;
      after = String(items.at(-1)!.sk);
    }
  };
  const release: StoredBytes["release"] = async (project, id) => {
    await table.delete({ pk: uploadList(project), sk: id });
  };
  return {
    of: async (project) => sum(await sizes(fileList(project))),
    release,
    async reserve(project, { id, bytes, quota }) {
      const key = { pk: uploadList(project), sk: id };
      const end = Math.ceil(Date.now() / 1000) + uploadSeconds;
      // Written before it is summed: of two at once each sees the other.
      await table.transact([{ type: "put", key, item: { bytes, [tableSchema.timeToLive]: end } }]);
      const [uploading, stored] = await Promise.all([sizes(uploadList(project)), sizes(fileList(project))]);
      // Whose file is there already counts once, and so does one that is uploaded again.
      const all = new Map([...uploading, ...stored, [id, bytes]]);
      if (sum([...all]) <= quota) return true;
      await release(project, id);
      return false;
    },
  };
}
