/** Immutable files named by random ids: the bytes of objects and parts. */
import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** A stretch of an object: one blob file, whole. Multipart objects have one per part, so completing copies nothing. */
export type Segment = { blob: string; size: number };

/** Replaced blobs live this long, so that a download which began before can finish. */
const graceMilliseconds = 60_000;
const bufferBytes = 256 * 1024;

export class Blobs {
  readonly #folder: string;
  readonly #retired = new Map<string, NodeJS.Timeout>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  #path(blob: string): string {
    return join(this.#folder, blob);
  }

  /** Writes a new blob; when the source fails or is cut off, leaves nothing behind. Returns its name. */
  async write(source: AsyncIterable<Buffer>): Promise<string> {
    const blob = randomUUID();
    const file = createWriteStream(this.#path(blob), { highWaterMark: bufferBytes });
    try {
      await pipeline(source, file);
    } catch (error) {
      // One that was still being opened comes to be before it is closed, and must not outlive its removal.
      if (!file.closed) await new Promise<void>((resolve) => file.once("close", () => resolve()));
      await this.remove(blob);
      throw error;
    }
    return blob;
  }

  /** The bytes `start` to `end` (inclusive) of the segments laid end to end. */
  async *read(segments: Segment[], start: number, end: number): AsyncGenerator<Buffer> {
    let offset = 0;
    for (const { blob, size } of segments) {
      const first = Math.max(start - offset, 0);
      const last = Math.min(end - offset, size - 1);
      offset += size;
      if (first > last) continue;
      yield* createReadStream(this.#path(blob), { start: first, end: last, highWaterMark: bufferBytes });
    }
  }

  async remove(blob: string): Promise<void> {
    await rm(this.#path(blob), { force: true });
  }

  /** Removes blobs that no row refers to any more, after the grace period. */
  retire(blobs: string[]): void {
    for (const blob of blobs) {
      const timer = setTimeout(() => {
        this.#retired.delete(blob);
        void this.remove(blob);
      }, graceMilliseconds);
      this.#retired.set(blob, timer.unref());
    }
  }

  /** Removes every file that is not in `live`. Only at start, before anything is being written. */
  sweep(live: Set<string>): void {
    for (const file of readdirSync(this.#folder)) {
      if (!live.has(file)) rmSync(this.#path(file));
    }
  }

  /** Removes what is retired at once: the listener is closed, so nobody reads any more. */
  close(): void {
    for (const [blob, timer] of this.#retired) {
      clearTimeout(timer);
      rmSync(this.#path(blob), { force: true });
    }
    this.#retired.clear();
  }
}
