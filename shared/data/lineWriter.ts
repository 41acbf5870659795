/** Writes lines to a file in large pieces, so that millions of short ones cost little. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";

const pieceBytes = 256 * 1024;

export interface LineWriter {
  /** A promise only when the caller must wait for the disk. */
  write(line: string): Promise<void> | undefined;
  close(): Promise<void>;
  /** Gives up without caring for what was written. */
  destroy(): void;
}

export function createLineWriter(path: string): LineWriter {
  const stream = createWriteStream(path);
  let pending = "";
  const flush = async () => {
    const piece = pending;
    pending = "";
    if (!stream.write(piece)) await once(stream, "drain");
  };
  return {
    write(line) {
      pending += `${line}\n`;
      return pending.length < pieceBytes ? undefined : flush();
    },
    async close() {
      stream.end(pending);
      await finished(stream);
    },
    destroy: () => void stream.destroy(),
  };
}
