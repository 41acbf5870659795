/** JSON of any size that belongs to a row: in the row while it is small, else in an object of its own. */

import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Payload } from "../schemas/payload.ts";
import type { Objects } from "./objects.ts";

export interface Payloads {
  /** Stored under `key` where it is too large for a row. */
  put(key: string, value: unknown): Promise<Payload>;
  /** Throws where the object is gone. */
  get(payload: Payload): Promise<unknown>;
}

/** A row holds 400 KB at most, and may hold more than one of these. */
const mostBytesInRow = 64 * 1024;

export function createPayloads(objects: Pick<Objects, "put" | "get">): Payloads {
  return {
    async put(key, value) {
      const bytes = Buffer.from(JSON.stringify(value));
      if (bytes.length <= mostBytesInRow) return { json: bytes.toString() };
      await objects.put(key, Readable.from([bytes]), { contentType: "application/json" });
      return { object_key: key };
    },
    async get(payload) {
      if ("json" in payload) return JSON.parse(payload.json);
      const content = await objects.get(payload.object_key);
      if (!content) throw new Error(`Object ${payload.object_key} is missing`);
      return JSON.parse(await text(content));
    },
  };
}
