/** Organizations' keys as files of a directory of this machine, each the user's alone: what KMS is elsewhere. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Binding, KeyGone, type KeyProvider, KeyUnavailable } from "./keyProvider.ts";

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const namePattern = /^[\w-]+\/\d+-[0-9a-f]{16}\.key$/;

export function createKeyDirectory(directory: string): KeyProvider {
  const pathOf = (name: string) => {
    if (!namePattern.test(name)) throw new Error(`'${name}' names no key of a directory`);
    return join(directory, name);
  };
  return {
    async create(organization, version) {
      const name = `${organization}/${version}-${randomBytes(8).toString("hex")}.key`;
      await mkdir(dirname(pathOf(name)), { recursive: true, mode: 0o700 });
      await write(pathOf(name), "wx", randomBytes(keyBytes));
      return name;
    },
    async generate(name, binding) {
      const plain = randomBytes(keyBytes);
      return { plain, wrapped: wrap(await read(pathOf(name), name), plain, binding) };
    },
    unwrap: async (name, wrapped, binding) => unwrap(await read(pathOf(name), name), wrapped, binding),
    async destroy(name) {
      try {
        await write(pathOf(name), "r+", Buffer.alloc(keyBytes));
        await unlink(pathOf(name));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

/** Durable when it returns. */
async function write(path: string, flags: "wx" | "r+", bytes: Buffer): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.write(bytes, 0, bytes.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function read(path: string, name: string): Promise<Buffer> {
  try {
    return await readKey(path);
  } catch (error) {
    throw isMissing(error) ? new KeyGone(name, error) : new KeyUnavailable(name, error);
  }
}

async function readKey(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { mode } = await file.stat();
    if (mode & 0o077) throw new Error(`The key file ${path} is open to others than its user: set its mode to 600`);
    const bytes = await file.readFile();
    if (bytes.length !== keyBytes) throw new Error(`The key file ${path} holds ${bytes.length} bytes, not ${keyBytes}`);
    return bytes;
  } finally {
    await file.close();
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

/** In one order, whoever wrote it. */
const bytesOf = (binding: Binding) => Buffer.from(JSON.stringify(Object.entries(binding).sort()));

function wrap(key: Buffer, plain: Buffer, binding: Binding): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(bytesOf(binding));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function unwrap(key: Buffer, wrapped: Buffer, binding: Binding): Buffer {
  const tagEnd = nonceBytes + tagBytes;
  const decipher = createDecipheriv(algorithm, key, wrapped.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(bytesOf(binding))
    .setAuthTag(wrapped.subarray(nonceBytes, tagEnd));
  return Buffer.concat([decipher.update(wrapped.subarray(tagEnd)), decipher.final()]);
}
