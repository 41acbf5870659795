/**
 * Finds repeated and contradictory rows of any number in bounded memory: rows are spread by the hash of their text over
 * temporary files, so that equal texts meet in the same one, and each file is then small enough for a map.
 */
import { hash } from "node:crypto";
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

const partitions = 256;
const recordBytes = 20;
const bufferedRecords = 512;

interface IndexedRow {
  /** Position among the rows that were added, from 0. */
  row: number;
  label: number;
  line: number;
}

export interface Repeat extends IndexedRow {
  kind: "duplicate" | "contradiction";
  /** The first row with this text; of a duplicate, the first that has its label too. */
  first: IndexedRow;
}

export interface RowIndex {
  add(text: string, label: number, line: number): void;
  /** Every row that repeats an earlier one, in no particular order. */
  repeats(): AsyncGenerator<Repeat>;
  /** Closes and removes the temporary files. */
  discard(): Promise<void>;
}

interface Partition {
  /** Opened when the buffer first overflows: a small dataset needs no files. */
  file: number | undefined;
  buffer: Buffer;
  filled: number;
}

export function createRowIndex(directory: string): RowIndex {
  mkdirSync(directory, { recursive: true });
  const path = (index: number) => join(directory, `${index}.rows`);
  const parts = Array.from({ length: partitions }, (): Partition => {
    return { file: undefined, buffer: Buffer.alloc(bufferedRecords * recordBytes), filled: 0 };
  });
  let rows = 0;

  const flush = (index: number) => {
    const part = parts[index]!;
    part.file ??= openSync(path(index), "w");
    writeSync(part.file, part.buffer, 0, part.filled);
    part.filled = 0;
  };

  return {
    add(text, label, line) {
      const digest = hash("md5", text, "buffer");
      const index = digest[8]! % partitions;
      const part = parts[index]!;
      digest.copy(part.buffer, part.filled, 0, 8);
      part.buffer.writeUInt32LE(rows++, part.filled + 8);
      part.buffer.writeUInt32LE(label, part.filled + 12);
      part.buffer.writeUInt32LE(line, part.filled + 16);
      part.filled += recordBytes;
      if (part.filled === part.buffer.length) flush(index);
    },
    async *repeats() {
      for (const [index, part] of parts.entries()) {
        if (part.file === undefined) yield* repeatsIn([part.buffer.subarray(0, part.filled)]);
        else {
          flush(index);
          yield* repeatsIn(createReadStream(path(index), { highWaterMark: part.buffer.length }));
        }
      }
    },
    async discard() {
      for (const { file } of parts) if (file !== undefined) closeSync(file);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function* repeatsIn(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Repeat> {
  /** By text; rows that contradict the first one are chained to it, one for each label. */
  const firsts = new Map<bigint, IndexedRow[]>();
  for await (const records of chunks) {
    for (let at = 0; at < records.length; at += recordBytes) {
      const key = records.readBigUInt64LE(at);
      const [row, label, line] = [8, 12, 16].map((offset) => records.readUInt32LE(at + offset)) as Numbers;
      const found = { row, label, line };
      const seen = firsts.get(key);
      if (!seen) {
        firsts.set(key, [found]);
        continue;
      }
      const same = seen.find((earlier) => earlier.label === label);
      if (!same) seen.push(found);
      yield same ? { kind: "duplicate", ...found, first: same } : { kind: "contradiction", ...found, first: seen[0]! };
    }
  }
}

type Numbers = [number, number, number];
