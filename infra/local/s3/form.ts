/** PostObject: a browser's form upload, authorised by the policy among its fields. */
import type { Readable } from "node:stream";
import { Busboy } from "@fastify/busboy";
import { notImplemented, S3Error } from "./errors.ts";
import { keptHeaders } from "./objectHeaders.ts";
import { commitBody } from "./objects.ts";
import { lengthRange, verifyPolicy } from "./policy.ts";
import { receiveBody } from "./receive.ts";
import type { S3Request, S3Response } from "./request.ts";
import type { S3Store } from "./store.ts";

type Form = { fields: Map<string, string>; file: Readable; filename: string; contentType: string };

/** Resolves at the file, which must come last: S3 ignores fields after it. */
function openForm({ stream, headers }: S3Request): Promise<Form> {
  return new Promise((resolve, reject) => {
    const malformed = () => reject(new S3Error("MalformedPOSTRequest"));
    const fields = new Map<string, string>();
    const parser = new Busboy({ headers: { ...headers, "content-type": headers["content-type"] ?? "" } });
    parser.on("field", (name, value) => void fields.set(name.toLowerCase(), value));
    parser.on("file", (_name, file, filename, _encoding, contentType) => {
      stream.once("close", () => stream.complete || file.destroy(new S3Error("IncompleteBody")));
      resolve({ fields, file, filename: filename ?? "", contentType });
    });
    parser.on("error", malformed);
    parser.on("finish", malformed);
    stream.on("error", malformed);
    stream.pipe(parser);
  });
}

/** Fields whose effect this server does not have are refused, as headers of the same name would be. */
function refuseUnsupported(fields: Map<string, string>): void {
  const unsupported = ["acl", "tagging", "success_action_redirect", "redirect"].find((name) => fields.has(name));
  if (unsupported) throw notImplemented(`the form field ${unsupported}`);
  if (fields.get("success_action_status") === "201") throw notImplemented("success_action_status 201 in a form");
}

export async function postObject(store: S3Store, request: S3Request): Promise<S3Response> {
  const { fields, file, filename, contentType } = await openForm(request);
  try {
    const policy = verifyPolicy(store.credentials, fields, request.bucket);
    refuseUnsupported(fields);
    const key = (fields.get("key") ?? "").replace(/\$\{filename\}/, () => filename);
    if (!key) throw new S3Error("InvalidArgument", "Bucket POST must contain a field named 'key'.");
    const kept = keptHeaders({ "content-type": contentType, ...Object.fromEntries(fields) });
    const body = await receiveBody(store, file, {}, lengthRange(policy));
    const object = await commitBody(store, body, { bucket: request.bucket, key, ...kept }, {});
    const status = fields.get("success_action_status") === "200" ? 200 : 204;
    return { status, headers: { etag: `"${object.etag}"` } };
  } finally {
    file.resume();
  }
}
