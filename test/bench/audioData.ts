/** Spoken digits (Free Spoken Digit Dataset), from the directory of shared data, as log-mel features. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type LogMelConfig, logMel, standardized } from "../../shared/engine/audio/logMel.ts";
import { readWav } from "../../shared/engine/audio/wav.ts";
import { philox, type Tensor } from "../../shared/engine/index.ts";
import { whereDataIsSought } from "./dataSets.ts";

export interface Recording {
  /** float32 [bands, frames], standardised. */
  readonly features: Tensor;
  /** 0 to 9. */
  readonly digit: number;
}

/** 25 ms every 10 ms at 8 kHz. */
const config: LogMelConfig = { sampleRate: 8000, window: 200, hop: 80, bands: 40 };
export const bands = config.bands;
/** 0.64 s, which nine of ten recordings are shorter than; of longer ones the middle. */
export const frames = 64;

/**
 * Undefined where the set is not there. Its split is by recording, as its authors have it: the first five of each
 * speaker and digit are the test, so speakers are the same on both sides.
 */
export function readRecordings(part: "train" | "test"): Recording[] | undefined {
  const path = join(whereDataIsSought, "fsdd", `${part}.tar.gz`);
  if (!existsSync(path)) return undefined;
  return [...untar(gunzipSync(readFileSync(path)))].map(([name, bytes]) => {
    const { sampleRate, samples } = readWav(bytes);
    // A file is named digit_speaker_number.wav.
    return { features: standardized(logMel(samples, { ...config, sampleRate })), digit: Number(name[0]) };
  });
}

/** Names and contents of the files of a tar archive (POSIX ustar), in which blocks are 512 bytes long. */
function* untar(archive: Buffer): Generator<[name: string, bytes: Uint8Array]> {
  const text = (from: number, length: number) => archive.toString("latin1", from, from + length).split("\0", 1)[0]!;
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    yield [text(at, 100), archive.subarray(at + 512, at + 512 + size)];
    at += 512 * (1 + Math.ceil(size / 512));
  }
}

/**
 * The rows asked for, in the middle of as many frames of silence: mel float32 [rows, bands, frames] and labels int32
 * [rows]. In training each is moved in time, and some bands and some frames are blanked (Park et al. 2019), by numbers
 * that depend on `step` and its place alone.
 */
export function recordingBatch(set: readonly Recording[], rows: Int32Array, step?: number): Record<string, Tensor> {
  const data = new Float32Array(rows.length * bands * frames);
  for (const [i, row] of rows.entries()) {
    const { features } = set[row]!;
    const own = data.subarray(i * bands * frames, (i + 1) * bands * frames);
    place(own, features, step === undefined ? 0 : (philox([step, i, 0, 0], [0x6d656c, 0])[0] % 17) - 8);
    if (step !== undefined) blank(own, philox([step, i, 1, 0], [0x6d656c, 0]));
  }
  return {
    mel: { shape: [rows.length, bands, frames], data },
    labels: { shape: [rows.length], data: Int32Array.from(rows, (row) => set[row]!.digit) },
  };
}

function place(target: Float32Array, { shape, data }: Tensor, shift: number): void {
  const length = shape[1]!;
  const before = Math.floor((frames - length) / 2) + shift;
  const [first, end] = [Math.max(0, before), Math.min(frames, before + length)];
  for (let band = 0; band < bands; band++) {
    const start = band * length - before;
    target.set((data as Float32Array).subarray(start + first, start + end), band * frames + first);
  }
}

function blank(target: Float32Array, [a, b, c, d]: readonly number[]): void {
  const [firstBand, firstFrame] = [a! % bands, c! % frames];
  const [lastBand, lastFrame] = [firstBand + (b! % 8), firstFrame + (d! % 10)];
  for (const at of target.keys()) {
    const [band, frame] = [Math.floor(at / frames), at % frames];
    const isBlank = (band >= firstBand && band < lastBand) || (frame >= firstFrame && frame < lastFrame);
    if (isBlank) target[at] = 0;
  }
}
