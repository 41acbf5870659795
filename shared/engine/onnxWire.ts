/**
 * Protocol buffer messages of a stranger's making, read by a table of their fields and never beyond their bounds: what native
 * code would believe of lengths, counts and nesting is checked here first. Weights are measured, not copied.
 * Reference: https://protobuf.dev/programming-guides/encoding/
 */
import { shortened } from "./shortened.ts";

/** The file is no ONNX model, or one that asks for too much; the message says where and why. */
export class OnnxFileError extends Error {
  override name = "OnnxFileError";

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options);
  }
}

/**
 * Fields by name, with what they hold: `int`, `float`, `text` (a name of at most 64 KiB), `bytes`, `varints`, `floats` and
 * `doubles` (told as the number of their bytes or elements), `ints` (at most 64 numbers), or another message.
 */
export type FieldTable = Readonly<Record<string, readonly [id: number, kind: string, rule?: "repeated"]>>;
type Value = number | string | object;

const malformed = (fault: string, cause?: unknown) =>
  new OnnxFileError(`it is not in ONNX's format: ${fault}`, { cause });

/** As deep as protocol buffers' own readers go: a graph within a graph takes three. */
const deepest = 100;
const mostMessages = 1_000_000;
const longestText = 64 * 1024;
const mostInts = 64;

const widths: Readonly<Record<string, number>> = { floats: 4, doubles: 8 };
/** Wire types of one value of a kind; all that is not here is a length and so many bytes. */
const wireTypes: Readonly<Record<string, number>> = { int: 0, float: 5, ints: 0, varints: 0, floats: 5, doubles: 1 };
const isList = (kind: string) => ["ints", "varints", "floats", "doubles"].includes(kind);

interface Bounds {
  /** Bytes of a packed list; absent for a single number. */
  readonly size: number | undefined;
  /** Of the packed list, else of the message. */
  readonly end: number;
}

interface Known {
  readonly name: string;
  readonly kind: string;
  readonly repeated: boolean;
}

/** Messages of a file by their tables. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tables: ReadonlyMap<string, ReadonlyMap<number, Known>>;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });
  #at = 0;
  #messages = 0;

  constructor(bytes: Uint8Array, tables: Readonly<Record<string, FieldTable>>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const known = (table: FieldTable) =>
      new Map(
        Object.entries(table).map(([name, [id, kind, rule]]) => [id, { name, kind, repeated: rule !== undefined }]),
      );
    this.#tables = new Map(Object.entries(tables).map(([name, table]) => [name, known(table)]));
  }

  /** The whole file as one message, an object of the fields that its table lists. Throws OnnxFileError. */
  read(message: string): Record<string, unknown> {
    return this.#message(message, this.#bytes.length, message.toLowerCase(), 1);
  }

  #message(message: string, end: number, place: string, depth: number): Record<string, unknown> {
    if (depth > deepest) throw new OnnxFileError(`${place.slice(0, 200)}… is nested more than ${deepest} deep`);
    if (++this.#messages > mostMessages) throw new OnnxFileError(`it holds more than ${mostMessages} parts`);
    const table = this.#tables.get(message)!;
    const found: Record<string, unknown> = {};
    for (const { name, repeated } of table.values()) if (repeated) found[name] = [];
    while (this.#at < end) {
      const at = this.#at;
      const tag = this.#varint(end, place);
      const [id, wire] = [Math.floor(tag / 8), tag & 7];
      if (tag < 8 || tag > 0xffffffff) throw malformed(`${place} has a field of no valid number at byte ${at}`);
      const known = table.get(id);
      if (!known) this.#skip(wire, end, place);
      else this.#field(found, known, wire, { end, place, depth, at });
    }
    return found;
  }

  #field(
    found: Record<string, unknown>,
    { name, kind, repeated }: Known,
    wire: number,
    { end, place, depth, at }: { end: number; place: string; depth: number; at: number },
  ): void {
    const here = `${place}.${name}`;
    const isPacked = isList(kind) && wire === 2;
    if (!isPacked && wire !== (wireTypes[kind] ?? 2)) {
      throw malformed(`${here} at byte ${at} is written as wire type ${wire}`);
    }
    if (isList(kind)) {
      const size = isPacked ? this.#length(end, here) : undefined;
      const bounds = { size, end: size === undefined ? end : this.#at + size };
      if (kind === "ints") found[name] = this.#ints((found[name] as number[] | undefined) ?? [], bounds, here);
      else found[name] = ((found[name] as number | undefined) ?? 0) + this.#counted(kind, bounds, here);
      return;
    }
    const list = found[name] as Value[] | undefined;
    // Readers differ in which of several they take.
    if (list && !repeated) throw malformed(`${here} is there twice, at byte ${at}, too`);
    const value = this.#value(kind, end, repeated ? `${here}[${list!.length}]` : here, depth);
    if (repeated) list!.push(value);
    else found[name] = value;
  }

  #value(kind: string, end: number, place: string, depth: number): Value {
    if (kind === "int") return this.#varint(end, place);
    if (kind === "float") return this.#float(end, place);
    const size = this.#length(end, place);
    const start = this.#at;
    if (this.#tables.has(kind)) return this.#message(kind, start + size, place, depth + 1);
    this.#at += size;
    if (kind !== "text") return size;
    if (size > longestText) throw new OnnxFileError(`${place} has ${size} bytes; a name has at most ${longestText}`);
    try {
      return this.#utf8.decode(this.#bytes.subarray(start, start + size));
    } catch (cause) {
      throw malformed(`${place} at byte ${start} is not valid UTF-8`, cause);
    }
  }

  /** Numbers read so far with one more, or with all of a packed list. */
  #ints(before: readonly number[], { size, end }: Bounds, place: string): number[] {
    const ints = [...before];
    const stop = size === undefined ? this.#at + 1 : end;
    while (this.#at < stop) {
      if (ints.push(this.#varint(end, place)) > mostInts) {
        throw new OnnxFileError(`${place} holds more than ${mostInts} numbers`);
      }
    }
    return ints;
  }

  /** How many values there are in a packed list, or one. */
  #counted(kind: string, { size, end }: Bounds, place: string): number {
    if (size === undefined) {
      // As many as there may be messages: a file of nothing else is not to be counted for minutes.
      if (++this.#messages > mostMessages) throw new OnnxFileError(`${place} is not packed`);
      this.#skip(wireTypes[kind]!, end, place);
      return 1;
    }
    const width = widths[kind];
    if (width !== undefined) {
      if (size % width !== 0) throw malformed(`${place} has ${size} bytes, no multiple of ${width}`);
      this.#at += size;
      return size / width;
    }
    let count = 0;
    for (; this.#at < end; count++) this.#varint(end, place);
    return count;
  }

  /** A length that is within its message. */
  #length(end: number, place: string): number {
    const at = this.#at;
    const size = this.#varint(end, place);
    if (size >= 0 && size <= end - this.#at) return size;
    throw malformed(`${place} is said to have ${size} bytes at byte ${at}, where ${end - this.#at} are left`);
  }

  #float(end: number, place: string): number {
    this.#skip(5, end, place);
    return this.#view.getFloat32(this.#at - 4, true);
  }

  #skip(wire: number, end: number, place: string): void {
    const from = this.#at;
    if (wire === 0) this.#varint(end, place);
    else if (wire === 1 || wire === 5) this.#at += wire === 1 ? 8 : 4;
    else if (wire === 2) {
      const size = this.#length(end, place);
      this.#at += size;
    } else throw malformed(`${place} has a field of wire type ${wire} at byte ${from}`);
    if (this.#at > end) throw malformed(`${place} ends within a field at byte ${from}`);
  }

  /** An int64, of which those beyond 2^53 are not exact. */
  #varint(end: number, place: string): number {
    const from = this.#at;
    let value = 0n;
    let small = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= end) throw malformed(`${place} ends within a number at byte ${from}`);
      const byte = this.#view.getUint8(this.#at++);
      if (shift < 28) small += (byte & 127) << shift;
      else value += BigInt(byte & 127) << BigInt(shift);
      if (byte < 128) return shift < 28 ? small : Number(BigInt.asIntN(64, value + BigInt(small)));
    }
    throw malformed(`${place} has a number of more than ten bytes at byte ${from}`);
  }
}
