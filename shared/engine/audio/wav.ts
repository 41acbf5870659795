/** Sound from WAVE files (Microsoft and IBM 1991), uncompressed. */

export interface Sound {
  /** Samples per second. */
  readonly sampleRate: number;
  /** In [-1, 1]; of several channels, their mean. */
  readonly samples: Float32Array;
}

/** The bytes are no WAVE file that this engine reads; the message says why. */
export class WavError extends Error {
  override name = "WavError";
}

type Reader = (view: DataView, at: number) => number;

/** By format code (1: integers, 3: floats) and bits of a sample. */
const readers: Record<string, Reader> = {
  "1/8": (view, at) => (view.getUint8(at) - 128) / 128,
  "1/16": (view, at) => view.getInt16(at, true) / 32768,
  "1/32": (view, at) => view.getInt32(at, true) / 2147483648,
  "3/32": (view, at) => view.getFloat32(at, true),
};

/** Throws WavError for what is no WAVE file, is cut short or compressed. */
export function readWav(bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || tag(view, 0) !== "RIFF" || tag(view, 8) !== "WAVE") throw new WavError("no WAVE file");
  const chunks = chunksOf(view);
  const [format, data] = [chunks.get("fmt "), chunks.get("data")];
  if (!format || format.byteLength < 16 || !data) throw new WavError('a WAVE file needs chunks "fmt " and "data"');
  const [code, channels, sampleRate] = [
    format.getUint16(0, true),
    format.getUint16(2, true),
    format.getUint32(4, true),
  ];
  const bits = format.getUint16(14, true);
  const read = readers[`${code}/${bits}`];
  if (!read) throw new WavError(`samples of ${bits} bits in format ${code} are not supported`);
  if (channels === 0) throw new WavError("no channels");
  const width = bits / 8;
  const samples = Float32Array.from({ length: Math.floor(data.byteLength / (width * channels)) }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += read(data, (i * channels + channel) * width);
    return sum / channels;
  });
  return { sampleRate, samples };
}

function tag(view: DataView, at: number): string {
  return String.fromCharCode(...Array.from({ length: 4 }, (_, i) => view.getUint8(at + i)));
}

/** Contents by tag. */
function chunksOf(view: DataView): Map<string, DataView> {
  const chunks = new Map<string, DataView>();
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const [name, size] = [tag(view, at), view.getUint32(at + 4, true)];
    if (at + 8 + size > view.byteLength) throw new WavError(`chunk "${name}" is cut short`);
    chunks.set(name, new DataView(view.buffer, view.byteOffset + at + 8, size));
    // Chunks begin at even bytes.
    at += 8 + size + (size & 1);
  }
  return chunks;
}
