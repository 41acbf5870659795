/** Every operation this server has, and how a request selects it. What the table does not name is refused. */
import * as buckets from "./buckets.ts";
import { completeMultipartUpload } from "./completion.ts";
import { copyObject } from "./copy.ts";
import { postObject } from "./form.ts";
import { listObjects } from "./listing.ts";
import * as objects from "./objects.ts";
import type { S3Request, S3Response } from "./request.ts";
import type { S3Store } from "./store.ts";
import * as tagging from "./tagging.ts";
import * as uploads from "./uploads.ts";

export type Operation = (store: S3Store, request: S3Request) => S3Response | Promise<S3Response>;
export type Route = {
  /** As in the S3 API reference. */
  name: string;
  method: string;
  level: "service" | "bucket" | "object";
  /** A query parameter that must be there. */
  selector?: string;
  /** A header that must be there. */
  header?: string;
  /** Query parameters the operation understands besides its selector; `*` ends a prefix. */
  query?: string[];
  /** `x-amz-*` headers the operation understands besides those of every request; `*` ends a prefix. */
  headers?: string[];
  run: Operation;
};

const describing = [
  "x-amz-meta-*",
  "x-amz-tagging",
  "x-amz-storage-class",
  "x-amz-acl",
  "x-amz-server-side-encryption",
];
const copying = ["x-amz-copy-source", "x-amz-copy-source-if-*", "x-amz-metadata-directive", "x-amz-tagging-directive"];
const listing = ["prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type"];

type ConfigurationRoute = buckets.Configuration & { put: string; get: string; remove?: string };

function configuration({ put, get, remove, ...kind }: ConfigurationRoute): Route[] {
  const operations = buckets.configurationOperations(kind);
  const common = { level: "bucket", selector: kind.name } as const;
  const routes: Route[] = [
    { name: put, method: "PUT", ...common, run: operations.put },
    { name: get, method: "GET", ...common, run: operations.get },
  ];
  return remove ? [...routes, { name: remove, method: "DELETE", ...common, run: operations.remove }] : routes;
}

const configurations: Route[] = [
  ...configuration({
    name: "cors",
    root: "CORSConfiguration",
    missing: "NoSuchCORSConfiguration",
    put: "PutBucketCors",
    get: "GetBucketCors",
    remove: "DeleteBucketCors",
  }),
  ...configuration({
    name: "lifecycle",
    root: "LifecycleConfiguration",
    missing: "NoSuchLifecycleConfiguration",
    put: "PutBucketLifecycleConfiguration",
    get: "GetBucketLifecycleConfiguration",
    remove: "DeleteBucketLifecycle",
  }),
  ...configuration({
    name: "encryption",
    root: "ServerSideEncryptionConfiguration",
    missing: "ServerSideEncryptionConfigurationNotFoundError",
    put: "PutBucketEncryption",
    get: "GetBucketEncryption",
    remove: "DeleteBucketEncryption",
  }),
  ...configuration({
    name: "publicAccessBlock",
    root: "PublicAccessBlockConfiguration",
    missing: "NoSuchPublicAccessBlockConfiguration",
    put: "PutPublicAccessBlock",
    get: "GetPublicAccessBlock",
    remove: "DeletePublicAccessBlock",
  }),
  ...configuration({
    name: "versioning",
    root: "VersioningConfiguration",
    put: "PutBucketVersioning",
    get: "GetBucketVersioning",
  }),
];

const bucketRoutes: Route[] = [
  { name: "ListBuckets", method: "GET", level: "service", run: buckets.listBuckets },
  ...configurations,
  { name: "GetBucketLocation", method: "GET", level: "bucket", selector: "location", run: buckets.getBucketLocation },
  {
    name: "ListMultipartUploads",
    method: "GET",
    level: "bucket",
    selector: "uploads",
    query: ["prefix"],
    run: uploads.listMultipartUploads,
  },
  { name: "ListObjectsV2", method: "GET", level: "bucket", selector: "list-type", query: listing, run: listObjects },
  { name: "CreateBucket", method: "PUT", level: "bucket", run: buckets.createBucket },
  { name: "HeadBucket", method: "HEAD", level: "bucket", run: buckets.headBucket },
  { name: "DeleteBucket", method: "DELETE", level: "bucket", run: buckets.deleteBucket },
  { name: "DeleteObjects", method: "POST", level: "bucket", selector: "delete", run: objects.deleteObjects },
  { name: "PostObject", method: "POST", level: "bucket", run: postObject },
];

const uploadRoutes: Route[] = [
  {
    name: "CreateMultipartUpload",
    method: "POST",
    level: "object",
    selector: "uploads",
    headers: [...describing, "x-amz-checksum-algorithm", "x-amz-checksum-type"],
    run: uploads.createMultipartUpload,
  },
  {
    name: "UploadPart",
    method: "PUT",
    level: "object",
    selector: "uploadId",
    query: ["partNumber"],
    run: uploads.uploadPart,
  },
  {
    name: "CompleteMultipartUpload",
    method: "POST",
    level: "object",
    selector: "uploadId",
    headers: ["x-amz-checksum-type"],
    run: completeMultipartUpload,
  },
  {
    name: "AbortMultipartUpload",
    method: "DELETE",
    level: "object",
    selector: "uploadId",
    run: uploads.abortMultipartUpload,
  },
  {
    name: "ListParts",
    method: "GET",
    level: "object",
    selector: "uploadId",
    query: ["max-parts", "part-number-marker"],
    run: uploads.listParts,
  },
];

const objectRoutes: Route[] = [
  { name: "PutObjectTagging", method: "PUT", level: "object", selector: "tagging", run: tagging.putObjectTagging },
  { name: "GetObjectTagging", method: "GET", level: "object", selector: "tagging", run: tagging.getObjectTagging },
  {
    name: "DeleteObjectTagging",
    method: "DELETE",
    level: "object",
    selector: "tagging",
    run: tagging.deleteObjectTagging,
  },
  {
    name: "CopyObject",
    method: "PUT",
    level: "object",
    header: "x-amz-copy-source",
    headers: [...describing, ...copying],
    run: copyObject,
  },
  { name: "PutObject", method: "PUT", level: "object", headers: describing, run: objects.putObject },
  {
    name: "GetObject",
    method: "GET",
    level: "object",
    query: ["response-*"],
    headers: ["x-amz-checksum-mode"],
    run: objects.getObject,
  },
  {
    name: "HeadObject",
    method: "HEAD",
    level: "object",
    query: ["response-*"],
    headers: ["x-amz-checksum-mode"],
    run: objects.headObject,
  },
  { name: "DeleteObject", method: "DELETE", level: "object", run: objects.deleteObject },
];

/** The first match wins, so routes with a selector or header stand before those without. */
export const routes: Route[] = [...bucketRoutes, ...uploadRoutes, ...objectRoutes];
