/** What every S3 operation works on: metadata rows, blob files, the one key pair, and the clock. */
import { join } from "node:path";
import type { Credentials } from "../credentials.ts";
import { type Database, openDatabase } from "../sqlite.ts";
import { Blobs } from "./blobs.ts";
import { schema } from "./schema.ts";

export type S3Store = { database: Database; blobs: Blobs; credentials: Credentials; close(): void };

/** Opens the store and removes blob files that nothing refers to: the remains of uploads that a kill interrupted. */
export function openStore(folder: string, credentials: Credentials): S3Store {
  const blobs = new Blobs(join(folder, "blobs"));
  const database = openDatabase(join(folder, "s3.db"), schema);
  blobs.sweep(referencedBlobs(database));
  return {
    database,
    blobs,
    credentials,
    close() {
      blobs.close();
      database.close();
    },
  };
}

function referencedBlobs({ sql }: Database): Set<string> {
  const rows = sql.all`
    select json_extract(segment.value, '$.blob') as blob from objects, json_each(objects.segments) as segment
    union all select blob from parts`;
  return new Set(rows.map((row) => String(row.blob)));
}
