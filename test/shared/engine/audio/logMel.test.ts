/** Log-mel features are PyTorch's to 1e-4, and say what is in a sound. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fourierTransform } from "../../../../shared/engine/audio/fourier.ts";
import { type LogMelConfig, logMel, standardized } from "../../../../shared/engine/audio/logMel.ts";
import golden from "../../../support/golden/logMel.json" with { type: "json" };
import { assertClose, numbers, randomValues } from "../run.ts";

/** `sound` of the script. */
function sound(length: number): Float32Array {
  const noise = randomValues(length, { seed: 12345 });
  return noise.map((value, i) => 0.5 * Math.sin(0.0004 * i * i + 0.2 * i) + 0.05 * value);
}

const speech: LogMelConfig = { sampleRate: 8000, window: 200, hop: 80, bands: 20 };
const tone = (hertz: number, length = 1600) =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / speech.sampleRate));

describe("log-mel features", () => {
  for (const [name, { config, shape, features }] of Object.entries(golden)) {
    it(`are PyTorch's: ${name}`, () => {
      const { length, ...rest } = config;
      const found = logMel(sound(length), rest as unknown as LogMelConfig);
      assert.deepEqual(found.shape, shape);
      assertClose(numbers(found), features, 1e-4);
    });
  }

  it("are highest in the band that holds a tone, which rises with its pitch", () => {
    const strongest = [200, 600, 1500, 3200].map((hertz) => {
      const { shape, data } = logMel(tone(hertz), speech);
      const [bands, frames] = shape as [number, number];
      const middle = Array.from({ length: bands }, (_, band) => Number(data[band * frames + 10]));
      return middle.indexOf(Math.max(...middle));
    });
    // 20 bands over 2146 mel: 200, 600, 1500 and 3200 Hz are 283, 697, 1290 and 1938 mel.
    assert.deepEqual(strongest, [2, 6, 12, 18]);
  });

  it("of silence are the floor everywhere", () => {
    const { data } = logMel(new Float32Array(800), speech);
    assert.ok((data as Float32Array).every((value) => Math.abs(value - Math.log(1e-10)) < 1e-4));
  });

  it("do not tell how loud a sound was once standardised", () => {
    const loud = sound(1600);
    const [first, second] = [loud, loud.map((value) => value / 8)].map((it) => standardized(logMel(it, speech)));
    assertClose(numbers(first), numbers(second), 1e-4);
    const values = numbers(first);
    assert.ok(Math.abs(values.reduce((sum, value) => sum + value * value, 0) / values.length - 1) < 1e-4);
  });

  it("are refused of a sound too short, and where bands are too many", () => {
    assert.throws(() => logMel(new Float32Array(128), speech), /128 samples is too short for windows of 200/);
    assert.throws(() => logMel(sound(800), { ...speech, bands: 128 }), /128 bands are too many/);
  });
});

describe("the Fourier transform", () => {
  it("is the sum that defines it", () => {
    const size = 16;
    const [real, imaginary] = [1, 2].map((seed) => Float64Array.from(randomValues(size, { seed }))) as [
      Float64Array,
      Float64Array,
    ];
    const expected = Array.from({ length: size }, (_, k) => {
      let [re, im] = [0, 0];
      for (let n = 0; n < size; n++) {
        const [cosine, sine] = [Math.cos((2 * Math.PI * k * n) / size), -Math.sin((2 * Math.PI * k * n) / size)];
        re += real[n]! * cosine - imaginary[n]! * sine;
        im += real[n]! * sine + imaginary[n]! * cosine;
      }
      return [re, im];
    });
    fourierTransform(real, imaginary);
    assertClose(
      [...real],
      expected.map(([re]) => re!),
      1e-12,
    );
    assertClose(
      [...imaginary],
      expected.map(([, im]) => im!),
      1e-12,
    );
  });

  it("takes powers of two alone", () => {
    assert.throws(() => fourierTransform(new Float64Array(12), new Float64Array(12)), RangeError);
    assert.throws(() => fourierTransform(new Float64Array(8), new Float64Array(4)), RangeError);
  });
});
