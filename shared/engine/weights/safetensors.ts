/**
 * Weights as safetensors files: 8 bytes of header length, a JSON header, then the elements (huggingface/safetensors,
 * "Format").
 */
import { type DataType, dataTypeOf, dataTypes, type Tensor } from "../dataTypes.ts";
import { dataTypeNames, parseHeader, SafetensorsError, type TensorEntry } from "./safetensorsHeader.ts";

export interface StoredTensor extends Tensor {
  /** Needed where the class of `data` leaves it open (bool, float16); default: what the class says. */
  readonly dataType?: DataType;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor & { readonly dataType: DataType }>;
  readonly metadata: Readonly<Record<string, string>>;
}

const wireNames = Object.fromEntries(Object.entries(dataTypeNames).map(([wire, own]) => [own, wire]));

/**
 * Parses a whole file. Tensors are views of `bytes` where alignment allows, so keep it unchanged. Throws
 * SafetensorsError.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { entries, metadata, dataStart } = parseHeader(bytes);
  return { metadata, tensors: new Map(entries.map((entry) => [entry.name, view(bytes, dataStart, entry)])) };
}

function view(bytes: Uint8Array, dataStart: number, { dataType, shape, begin, end }: TensorEntry) {
  const { array } = dataTypes[dataType];
  const at = bytes.byteOffset + dataStart + begin;
  const length = (end - begin) / array.BYTES_PER_ELEMENT;
  const aligned = at % array.BYTES_PER_ELEMENT === 0;
  const data = aligned
    ? new array(bytes.buffer as ArrayBuffer, at, length)
    : new array(bytes.slice(dataStart + begin, dataStart + end).buffer, 0, length);
  return { dataType, shape, data };
}

/** A file holding the tensors, laid out by element size and then name: equal contents give equal bytes. */
export function writeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = Object.entries(tensors).sort(([a, x], [b, y]) => {
    return y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : 1);
  });
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let end = 0;
  for (const [name, tensor] of ordered) {
    const begin = end;
    end += tensor.data.byteLength;
    header.push([name, { dtype: wireName(name, tensor), shape: tensor.shape, data_offsets: [begin, end] }]);
  }
  return assemble(Buffer.from(JSON.stringify(Object.fromEntries(header))), end, ordered);
}

function wireName(name: string, { shape, data, dataType = dataTypeOf(data) }: StoredTensor): string {
  if (name === "__metadata__") throw new SafetensorsError(`no tensor may be named "${name}"`);
  const fits = shape.reduce((size, dim) => size * dim, 1) === data.length && data instanceof dataTypes[dataType].array;
  if (!fits)
    throw new SafetensorsError(
      `tensor "${name}" [${shape.join(", ")}] of ${dataType} cannot hold ${data.constructor.name} of ${data.length}`,
    );
  return wireNames[dataType]!;
}

function assemble(json: Buffer, dataSize: number, tensors: readonly [string, StoredTensor][]): Uint8Array {
  // Spaces after the JSON align the elements to 8 bytes, so that readers can map them in place.
  const headerSize = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerSize + dataSize).fill(0x20, 8, 8 + headerSize);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerSize), true);
  file.set(json, 8);
  let at = 8 + headerSize;
  for (const [, { data }] of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
