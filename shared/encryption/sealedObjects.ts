/**
 * The bucket's door for deployments that seal: what projects put is sealed on its way in and opened on its way out.
 * Digests and sizes are of what was put. A mark before the content tells what is sealed, under which version of the key.
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { digesting, downloading, type Objects } from "../stores/objects.ts";
import { isLostObject } from "./rowContent.ts";
import type { Sealing } from "./sealing.ts";

const magic = Buffer.from("\x02millrace1");
const markBytes = magic.length + 4;

function marked(version: number, sealed: Readable): Readable {
  const mark = Buffer.alloc(markBytes);
  magic.copy(mark);
  mark.writeUInt32BE(version, magic.length);
  sealed.unshift(mark);
  return sealed;
}

export function sealObjects(objects: Objects, sealing: Sealing): Objects {
  const put: Objects["put"] = async (key, content, options = {}) => {
    const sealed = await sealing.seal(key).catch((refusal) => {
      content.destroy();
      throw refusal;
    });
    if (!sealed) return objects.put(key, content, options);
    const meter = digesting();
    const feeding = pipeline(content, meter.stream, { signal: options.signal });
    const storing = objects.put(key, marked(sealed.version, sealed.seal(meter.stream)), options);
    // Whichever breaks breaks the other; the bucket's door tells what went wrong first.
    const results = await Promise.allSettled([storing, feeding]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return meter.result();
  };

  const get: Objects["get"] = async (key) => {
    if (isLostObject(key)) throw sealing.refusal(undefined);
    const body = await objects.get(key);
    if (!body) return undefined;
    const { version, content } = await splitMark(body);
    try {
      if (version !== undefined) return await sealing.open(key, version, content);
      await sealing.requirePlain(key);
      return content;
    } catch (error) {
      content.destroy();
      throw error;
    }
  };

  return {
    ...objects,
    put,
    get,
    putFile: (key, path, options) => put(key, createReadStream(path), options),
    download: downloading(get),
    async link(key, options) {
      const body = await objects.get(key);
      const begun = body && (await splitMark(body));
      begun?.content.destroy();
      if (begun?.version !== undefined) return undefined;
      await sealing.requirePlain(key);
      return objects.link(key, options);
    },
  };
}

/** The mark and what is behind it; of plain content everything. */
async function splitMark(body: Readable): Promise<{ version: number | undefined; content: Readable }> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < markBytes) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const isSealed = head.length >= markBytes && head.subarray(0, magic.length).equals(magic);
  async function* all() {
    const first = isSealed ? head.subarray(markBytes) : head;
    if (first.length) yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  const content = Readable.from(all(), { objectMode: false });
  content.once("close", () => body.destroy());
  return { version: isSealed ? head.readUInt32BE(magic.length) : undefined, content };
}
