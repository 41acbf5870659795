/** WAVE files are read to the sample, and what is none of those supported is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readWav, WavError } from "../../../../shared/engine/audio/wav.ts";

interface Format {
  code?: number;
  channels?: number;
  bits: number;
}

/** A file at 8 kHz, with a chunk of odd length before the samples. */
function wav(samples: Uint8Array, { code = 1, channels = 1, bits }: Format): Uint8Array {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(code, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(8000, 4);
  format.writeUInt16LE(bits, 14);
  const chunks = [chunk("fmt ", format), chunk("note", Buffer.from("odd")), chunk("data", samples)];
  return chunk("RIFF", Buffer.concat([Buffer.from("WAVE"), ...chunks]));
}

function chunk(tag: string, content: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  return Buffer.concat([Buffer.from(tag), size, content, Buffer.alloc(content.length % 2)]);
}

const bytesOf = (values: Int16Array | Int32Array | Float32Array) => new Uint8Array(values.buffer);

describe("a WAVE file", () => {
  const formats: Record<string, [Uint8Array, Format, number[]]> = {
    "16 bits": [bytesOf(Int16Array.of(0, 16384, -32768)), { bits: 16 }, [0, 0.5, -1]],
    "8 bits, which have no sign": [Uint8Array.of(128, 192, 0), { bits: 8 }, [0, 0.5, -1]],
    "32 bits": [bytesOf(Int32Array.of(0, 2 ** 30, -(2 ** 31))), { bits: 32 }, [0, 0.5, -1]],
    floats: [bytesOf(Float32Array.of(0, 0.5, -1)), { code: 3, bits: 32 }, [0, 0.5, -1]],
    "two channels, as their mean": [
      bytesOf(Int16Array.of(0, 16384, 8192, -8192)),
      { channels: 2, bits: 16 },
      [0.25, 0],
    ],
  };
  for (const [name, [samples, format, expected]] of Object.entries(formats)) {
    it(`is read: ${name}`, () => {
      const sound = readWav(wav(samples, format));
      assert.equal(sound.sampleRate, 8000);
      assert.deepEqual([...sound.samples], expected);
    });
  }

  it("is refused where it is none, cut short, or compressed", () => {
    const whole = wav(bytesOf(Int16Array.of(1, 2, 3)), { bits: 16 });
    const faults: [Uint8Array, RegExp][] = [
      [Buffer.from("no sound at all"), /no WAVE file/],
      [whole.subarray(0, -2), /chunk "data" is cut short/],
      [whole.subarray(0, 40), /chunk "note" is cut short|needs chunks/],
      [wav(Uint8Array.of(1, 2), { code: 85, bits: 16 }), /samples of 16 bits in format 85 are not supported/],
      [wav(Uint8Array.of(1, 2), { channels: 0, bits: 16 }), /no channels/],
    ];
    for (const [bytes, message] of faults) {
      assert.throws(
        () => readWav(bytes),
        (error: Error) => error instanceof WavError && message.test(error.message),
      );
    }
  });
});
