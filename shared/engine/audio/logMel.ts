/**
 * Log-mel features of sound: how strong each band of pitch is in each moment, on the scales by which people hear.
 * The same numbers as torchaudio's MelSpectrogram with its defaults gives, then the natural logarithm.
 */
import type { Tensor } from "../dataTypes.ts";
import { fourierTransform } from "./fourier.ts";

export interface LogMelConfig {
  /** Samples per second. */
  readonly sampleRate: number;
  /** Samples a frame looks at; 25 ms of them is usual for speech. */
  readonly window: number;
  /** Samples from one frame to the next; 10 ms of them is usual for speech. */
  readonly hop: number;
  /** How many bands. */
  readonly bands: number;
  /** The lowest and highest frequency in Hz. Default: 0 and half the sample rate. */
  readonly range?: readonly [lowest: number, highest: number];
}

/** Power below which a band counts as silent. */
const floor = 1e-10;

/**
 * float32 [bands, frames] of samples in [-1, 1]: frame i is centred on sample i * hop, the sound mirrored at its ends.
 * Throws RangeError for a sound shorter than half a window's transform, which cannot be mirrored.
 */
export function logMel(samples: Float32Array, config: LogMelConfig): Tensor {
  const { window, hop, bands } = config;
  const size = 2 ** Math.ceil(Math.log2(window));
  if (samples.length <= size / 2) {
    throw new RangeError(`a sound of ${samples.length} samples is too short for windows of ${window}`);
  }
  const weights = melFilters(config, size);
  const shape = hann(window);
  const frames = 1 + Math.floor(samples.length / hop);
  const data = new Float32Array(bands * frames);
  for (let frame = 0; frame < frames; frame++) {
    const power = powerSpectrum(samples, frame * hop, shape, size);
    for (const [band, { first, values }] of weights.entries()) {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[i]! * power[first + i]!;
      data[band * frames + frame] = Math.log(Math.max(sum, floor));
    }
  }
  return { shape: [bands, frames], data };
}

/** Squared magnitudes at the frequencies 0 to half the sample rate, [size / 2 + 1]. */
function powerSpectrum(samples: Float32Array, centre: number, window: Float64Array, size: number): Float64Array {
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  const inset = (size - window.length) >> 1;
  const last = samples.length - 1;
  for (let i = 0; i < window.length; i++) {
    const at = Math.abs(centre - size / 2 + inset + i);
    real[inset + i] = window[i]! * samples[at > last ? 2 * last - at : at]!;
  }
  fourierTransform(real, imaginary);
  const power = new Float64Array(size / 2 + 1);
  for (let k = 0; k < power.length; k++) power[k] = real[k]! ** 2 + imaginary[k]! ** 2;
  return power;
}

/** Hann's window, which would reach 0 again one sample behind its end. */
function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
}

interface Filter {
  /** The first frequency that counts, by its number in the spectrum. */
  readonly first: number;
  readonly values: readonly number[];
}

/** Triangles that overlap by half, equally wide in mel. Throws RangeError where a band falls between two frequencies. */
function melFilters({ sampleRate, bands, range = [0, sampleRate / 2] }: LogMelConfig, size: number): Filter[] {
  const [low, high] = [toMel(range[0]), toMel(range[1])];
  const corners = Array.from({ length: bands + 2 }, (_, i) => toHertz(low + ((high - low) * i) / (bands + 1)));
  return Array.from({ length: bands }, (_, band) => {
    const [left, peak, right] = [corners[band]!, corners[band + 1]!, corners[band + 2]!];
    const all = Array.from({ length: size / 2 + 1 }, (_, k) => {
      const frequency = (k * sampleRate) / size;
      return Math.max(0, Math.min((frequency - left) / (peak - left), (right - frequency) / (right - peak)));
    });
    const first = all.findIndex((value) => value > 0);
    if (first < 0) throw new RangeError(`${bands} bands are too many for a transform of ${size} samples`);
    return { first, values: all.slice(first, all.findLastIndex((value) => value > 0) + 1) };
  });
}

// O'Shaughnessy 1987, as in HTK.
const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
const toHertz = (mel: number) => 700 * (10 ** (mel / 2595) - 1);

/** Features less the mean of each band and by the deviation of all: what the microphone and the loudness add is gone. */
export function standardized({ shape, data }: Tensor): Tensor {
  const [bands, frames] = shape as [number, number];
  const result = Float32Array.from(data as Float32Array);
  for (let band = 0; band < bands; band++) {
    const own = result.subarray(band * frames, (band + 1) * frames);
    const mean = own.reduce((sum, value) => sum + value, 0) / frames;
    for (const [i, value] of own.entries()) own[i] = value - mean;
  }
  const deviation = Math.sqrt(result.reduce((sum, value) => sum + value * value, 0) / result.length);
  return { shape, data: result.map((value) => value / Math.max(deviation, 1e-8)) };
}
