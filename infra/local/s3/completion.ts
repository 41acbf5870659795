/** CompleteMultipartUpload: the parts' blobs become the object's segments, so it takes one transaction and no copying. */
import { createHash } from "node:crypto";
import { createDigest } from "./digests.ts";
import { S3Error } from "./errors.ts";
import { replaceObject, type StoredObject } from "./objectRows.ts";
import { type Checksums, receiveText } from "./receive.ts";
import { type S3Request, type S3Response, xmlResponse } from "./request.ts";
import type { S3Store } from "./store.ts";
import { findParts, forgetUpload, type Part, requireUpload, type Upload } from "./uploads.ts";
import { parseXml } from "./xml.ts";

type PartXml = { PartNumber?: string; ETag?: string } & Record<string, string>;
type CompleteXml = { Part?: PartXml[] };

/** Every part but the last must have this size. */
const minimumPartBytes = 5 * 1024 ** 2;

/** Throws InvalidPart when the part is unknown or is not what the client says it is. */
function findPart(parts: Map<number, Part>, named: PartXml): Part {
  const part = parts.get(Number(named.PartNumber));
  const declared = Object.entries(named).filter(([name]) => name.startsWith("Checksum"));
  const sameChecksums = declared.every(([name, value]) => {
    const have = part?.checksums[name.slice("Checksum".length).toLowerCase()];
    return have === undefined || have === value;
  });
  if (!part || named.ETag?.replaceAll('"', "") !== part.etag || !sameChecksums) {
    throw new S3Error("InvalidPart", `Part ${named.PartNumber} could not be found or does not match.`);
  }
  return part;
}

function choose(available: Part[], named: PartXml[]): Part[] {
  const byNumber = new Map(available.map((part) => [part.number, part]));
  const chosen = named.map((entry) => findPart(byNumber, entry));
  if (!chosen.length) throw new S3Error("MalformedXML");
  chosen.forEach((part, index) => {
    if (index > 0 && part.number <= (chosen[index - 1]?.number ?? 0)) throw new S3Error("InvalidPartOrder");
    if (index < chosen.length - 1 && part.size < minimumPartBytes) throw new S3Error("EntityTooSmall");
  });
  return chosen;
}

/** A checksum of the parts' checksums, with their count: what S3 calls composite. */
function compositeChecksums(parts: Part[], algorithm = Object.keys(parts[0]?.checksums ?? {})[0]): Checksums {
  if (!algorithm || !parts.every((part) => part.checksums[algorithm])) return {};
  const digest = createDigest(algorithm);
  for (const part of parts) digest.update(Buffer.from(part.checksums[algorithm] ?? "", "base64"));
  return { [algorithm]: `${digest.bytes().toString("base64")}-${parts.length}` };
}

function assemble({ bucket, key }: S3Request, upload: Upload, parts: Part[]): StoredObject {
  const digest = createHash("md5");
  for (const part of parts) digest.update(part.etag, "hex");
  return {
    bucket,
    key,
    segments: parts.map(({ blob, size }) => ({ blob, size })),
    size: parts.reduce((total, part) => total + part.size, 0),
    etag: `${digest.digest("hex")}-${parts.length}`,
    checksums: compositeChecksums(parts, upload.algorithm),
    headers: upload.headers,
    tags: upload.tags,
    modified: Date.now(),
  };
}

export async function completeMultipartUpload(store: S3Store, request: S3Request): Promise<S3Response> {
  const { Part: named = [] } = parseXml<CompleteXml>(await receiveText(request), "CompleteMultipartUpload");
  const { object, orphans } = store.database.transaction(() => {
    const upload = requireUpload(store, request);
    const available = findParts(store, upload.id);
    const chosen = choose(available, named);
    const object = assemble(request, upload, chosen);
    const replaced = replaceObject(store, object, request.headers);
    forgetUpload(store, upload.id);
    const unused = available.filter((part) => !chosen.includes(part)).map((part) => part.blob);
    return { object, orphans: [...replaced, ...unused] };
  });
  store.blobs.retire(orphans);
  return xmlResponse("CompleteMultipartUploadResult", {
    Location: request.path,
    Bucket: object.bucket,
    Key: object.key,
    ETag: `"${object.etag}"`,
    ...Object.fromEntries(
      Object.entries(object.checksums).map(([name, value]) => [`Checksum${name.toUpperCase()}`, value]),
    ),
  });
}
