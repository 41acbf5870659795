/** Buckets and the configurations that are kept for them. */
import { S3Error, type S3ErrorCode } from "./errors.ts";
import { receiveText } from "./receive.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";
import { parseXml } from "./xml.ts";

const validName = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Throws NoSuchBucket. */
export function requireBucket({ database }: S3Store, name: string): void {
  if (!database.sql.get`select 1 from buckets where name = ${name}`) throw new S3Error("NoSuchBucket");
}

export function listBuckets({ database }: S3Store): S3Response {
  const rows = database.sql.all`select name, created from buckets order by name`;
  const Bucket = rows.map((row) => ({
    Name: String(row.name),
    CreationDate: new Date(Number(row.created)).toISOString(),
  }));
  return xmlResponse("ListAllMyBucketsResult", { Owner: { ID: "local" }, Buckets: { Bucket } });
}

/** Creating a bucket again succeeds, as in us-east-1. */
export async function createBucket({ database }: S3Store, request: S3Request): Promise<S3Response> {
  const text = await receiveText(request);
  const { LocationConstraint } = text
    ? parseXml<{ LocationConstraint?: string }>(text, "CreateBucketConfiguration")
    : { LocationConstraint: undefined };
  if (LocationConstraint) throw new S3Error("IllegalLocationConstraintException");
  if (!validName.test(request.bucket)) throw new S3Error("InvalidBucketName");
  database.sql.run`insert or ignore into buckets (name, created) values (${request.bucket}, ${Date.now()})`;
  return { status: 200, headers: { location: `/${request.bucket}` } };
}

export function headBucket(): S3Response {
  return { status: 200, headers: { "x-amz-bucket-region": "us-east-1" } };
}

/** An empty LocationConstraint means us-east-1. */
export function getBucketLocation(): S3Response {
  return xmlResponse("LocationConstraint", {});
}

/** Unfinished uploads go with their bucket; objects keep it. */
export function deleteBucket({ database, blobs }: S3Store, { bucket }: S3Request): S3Response {
  const { sql } = database;
  const orphans = database.transaction(() => {
    if (sql.get`select 1 from objects where bucket = ${bucket} limit 1`) throw new S3Error("BucketNotEmpty");
    const parts = sql.all`select blob from parts where upload in (select id from uploads where bucket = ${bucket})`;
    sql.run`delete from parts where upload in (select id from uploads where bucket = ${bucket})`;
    sql.run`delete from uploads where bucket = ${bucket}`;
    sql.run`delete from configurations where bucket = ${bucket}`;
    sql.run`delete from buckets where name = ${bucket}`;
    return parts;
  });
  blobs.retire(orphans.map((row) => String(row.blob)));
  return { status: 204 };
}

/** A configuration's XML as it was put, or undefined. */
export function findConfiguration({ database }: S3Store, bucket: string, name: string): string | undefined {
  const row = database.sql.get`select xml from configurations where bucket = ${bucket} and name = ${name}`;
  return row && String(row.xml);
}

export type Configuration = {
  /** The query that selects it, such as `cors`. */
  name: string;
  /** The root element of its XML. */
  root: string;
  /** What a GET answers when none was put: an error, or an empty document. */
  missing?: S3ErrorCode;
};

/** Put, get and delete of one kind of bucket configuration. */
export function configurationOperations({ name, root, missing }: Configuration) {
  return {
    async put(store: S3Store, request: S3Request): Promise<S3Response> {
      const xml = await receiveText(request);
      parseXml(xml, root);
      store.database.sql.run`insert or replace into configurations values (${request.bucket}, ${name}, ${xml})`;
      return { status: 200 };
    },
    get(store: S3Store, { bucket }: S3Request): S3Response {
      const xml = findConfiguration(store, bucket, name);
      if (xml !== undefined) return { status: 200, headers: { "content-type": "application/xml" }, body: xml };
      if (missing) throw new S3Error(missing);
      return xmlResponse(root, {});
    },
    remove({ database }: S3Store, { bucket }: S3Request): S3Response {
      database.sql.run`delete from configurations where bucket = ${bucket} and name = ${name}`;
      return { status: 204 };
    },
  };
}
