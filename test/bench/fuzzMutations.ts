/** Files gone wrong as an enemy would have them: by bits, lengths, splices, huge numbers, and by fields that stay well-formed. */

export type Draw = (below: number) => number;

/** Mulberry32: the same files for the same seed. */
export function drawing(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

type Mutation = (bytes: Buffer, draw: Draw, others: readonly Buffer[]) => Buffer;

const at = (bytes: Buffer, draw: Draw) => draw(bytes.length + 1);
const spliced = (bytes: Buffer, from: number, gone: number, put: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(Math.min(bytes.length, from + gone))]);

const hugeNumbers = [
  ...[
    [0xff, 0xff, 0xff, 0xff, 0x07],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    Array(12).fill(0xff),
  ],
  ...[
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0],
  ],
].map((bytes) => Buffer.from(bytes));

const onBytes: Record<string, Mutation> = {
  bits(bytes, draw) {
    const copy = Buffer.from(bytes);
    for (let i = 0; i <= draw(8) && copy.length > 0; i++) copy[draw(copy.length)]! ^= 1 << draw(8);
    return copy;
  },
  start(bytes, draw) {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[draw(Math.min(64, copy.length))] = draw(256);
    return copy;
  },
  truncated: (bytes, draw) => bytes.subarray(0, draw(bytes.length + 1)),
  longer: (bytes, draw) => Buffer.concat([bytes, Buffer.alloc(1 + draw(64), draw(256))]),
  gone: (bytes, draw) => spliced(bytes, at(bytes, draw), 1 + draw(40), Buffer.alloc(0)),
  again(bytes, draw) {
    const from = at(bytes, draw);
    return spliced(bytes, at(bytes, draw), 0, bytes.subarray(from, from + draw(200)));
  },
  splice(bytes, draw, others) {
    const other = others[draw(others.length)]!;
    return Buffer.concat([bytes.subarray(0, at(bytes, draw)), other.subarray(at(other, draw))]);
  },
  huge: (bytes, draw) => spliced(bytes, at(bytes, draw), draw(10), hugeNumbers[draw(hugeNumbers.length)]!),
  length(bytes, draw) {
    const copy = Buffer.from(bytes);
    const sizes = [0n, 1n, 7n, BigInt(bytes.length), BigInt(bytes.length - 8), 100_000_001n, 2n ** 53n, 2n ** 64n - 1n];
    if (copy.length >= 8) copy.writeBigUInt64LE(sizes[draw(sizes.length)]!, draw(3) ? 0 : draw(copy.length - 7));
    return copy;
  },
};

const wildJson: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    0.5,
    1e308,
    2 ** 53,
    2 ** 31,
    "",
    "x",
    "__proto__",
    "../../etc/passwd",
    "/etc/passwd",
    [],
    {},
    [[]],
    [null],
  ],
  ...["(a+)+$", "[", "\\", "\u0000", "\ud800", "x".repeat(5000), [-1], [1e15, 1e15], [0, 2 ** 53], Array(300).fill(1)],
];
const deep = (draw: Draw) => {
  const depth = 1 + draw(30_000);
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
};

/** One value, name or number of a JSON text is another; the text stays JSON, most of the time. */
function jsonGoneWrong(text: string, draw: Draw): string {
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|\[[^[\]{}]*\]/g)];
  if (places.length === 0) return text;
  const { 0: found, index } = places[draw(places.length)]!;
  const isName = /^\s*:/.test(text.slice(index + found.length, index + found.length + 4));
  const names = ["__proto__", "__metadata__", "constructor", "", "dtype", "vocab", "a", "model.safetensors"];
  const value = draw(12) === 0 ? deep(draw) : JSON.stringify(wildJson[draw(wildJson.length)]);
  const put = isName ? JSON.stringify(names[draw(names.length)]) : value;
  return text.slice(0, index) + put + text.slice(index + found.length);
}

export const onJson: Mutation = (bytes, draw) => Buffer.from(jsonGoneWrong(bytes.toString(), draw));

/** Of a safetensors file: its header, with the right length before it. */
export const onHeader: Mutation = (bytes, draw) => {
  if (bytes.length < 8) return bytes;
  const size = Math.min(Number(bytes.readBigUInt64LE(0)), bytes.length - 8);
  const header = Buffer.from(jsonGoneWrong(bytes.subarray(8, 8 + size).toString(), draw));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, bytes.subarray(8 + size)]);
};

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

interface Field {
  tag: number;
  /** Bytes as they stand behind the tag; of a length and its bytes, those bytes. */
  content: Buffer;
}

/** Undefined for what is no protocol buffer message. */
function fieldsOf(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  let place = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; place < bytes.length && factor < 2 ** 49; factor *= 128) {
      const byte = bytes[place++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return -1;
  };
  while (place < bytes.length) {
    const tag = number();
    const start = place;
    if (tag < 8) return undefined;
    if ((tag & 7) === 0) number();
    else if ((tag & 7) === 5) place += 4;
    else if ((tag & 7) === 1) place += 8;
    else if ((tag & 7) === 2) {
      const size = number();
      if (size < 0 || place + size > bytes.length) return undefined;
      fields.push({ tag, content: bytes.subarray(place, place + size) });
      place += size;
      continue;
    } else return undefined;
    if (place > bytes.length) return undefined;
    fields.push({ tag, content: bytes.subarray(start, place) });
  }
  return fields;
}

const encoded = (fields: readonly Field[]) =>
  Buffer.concat(
    fields.flatMap(({ tag, content }) => [varint(tag), ...((tag & 7) === 2 ? [varint(content.length)] : []), content]),
  );

/** Some field at some depth is another, with all lengths around it right: what is left to find are lies, not noise. */
export const onMessage: Mutation = (bytes, draw, others) => {
  const fields = fieldsOf(bytes);
  if (!fields || fields.length === 0) return onBytes.bits!(bytes, draw, others);
  const place = draw(fields.length);
  const field = fields[place]!;
  const isLong = (field.tag & 7) === 2;
  if (isLong && field.content.length > 1 && draw(4) > 0 && fieldsOf(field.content)?.length) {
    fields[place] = { ...field, content: onMessage(field.content, draw, others) };
    return encoded(fields);
  }
  const kinds: (() => Field[])[] = [
    () => [],
    () => [field, field],
    () => [{ ...field, tag: 8 * (1 + draw(25)) + (field.tag & 7) }],
    () => [
      {
        ...field,
        content: isLong ? Buffer.alloc(draw(300), draw(256)) : varint(draw(2) ? draw(300) : draw(2 ** 31) * 2 ** 20),
      },
    ],
    () => [{ tag: field.tag, content: isLong ? Buffer.concat([field.content, field.content]) : field.content }],
    () => [{ tag: 8 * (1 + draw(20)) + 2, content: encoded([field]) }, field],
    () => [fields[draw(fields.length)]!],
  ];
  return encoded([...fields.slice(0, place), ...kinds[draw(kinds.length)]!(), ...fields.slice(place + 1)]);
};

/** One to three things wrong; `fitting` are those that keep the format. */
export function mutated(bytes: Buffer, draw: Draw, others: readonly Buffer[], fitting: Mutation): Buffer {
  const names = Object.keys(onBytes);
  let result = bytes;
  for (let i = 0; i <= draw(3); i++) {
    result = (draw(2) ? fitting : onBytes[names[draw(names.length)]!]!)(result, draw, others);
  }
  return result;
}
