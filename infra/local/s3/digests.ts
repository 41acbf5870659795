/** The checksum algorithms of `x-amz-checksum-*`, as incremental digests. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { notImplemented } from "./errors.ts";

export type Digest = { update(chunk: Buffer): void; bytes(): Buffer };

function hashDigest(algorithm: string): Digest {
  const hash = createHash(algorithm);
  return { update: (chunk) => void hash.update(chunk), bytes: () => hash.digest() };
}

function crc32Digest(): Digest {
  let value = 0;
  return {
    update(chunk) {
      value = crc32(chunk, value);
    },
    bytes() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

const digests: Record<string, () => Digest> = {
  crc32: crc32Digest,
  sha1: () => hashDigest("sha1"),
  sha256: () => hashDigest("sha256"),
  md5: () => hashDigest("md5"),
};

/** Throws NotImplemented, naming the algorithm, for those that Node cannot compute natively (crc32c, crc64nvme). */
export function createDigest(algorithm: string): Digest {
  const create = digests[algorithm];
  if (!create) throw notImplemented(`the checksum algorithm ${algorithm}`);
  return create();
}
