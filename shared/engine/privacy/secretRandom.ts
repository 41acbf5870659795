/** Random numbers nobody can guess: the key stream of AES-256 in counter mode, under a key from the system. */
import { createCipheriv, randomBytes } from "node:crypto";

export interface SecretRandom {
  /** Uniform in (0, 1], with 53 bits. */
  uniforms(length: number): Float64Array;
  /** Normal, of mean 0 and deviation 1. */
  normals(length: number): Float32Array;
}

/** `key`, of 32 bytes, is for tests: whoever knows it can take the noise off again. Throws RangeError for another length. */
export function secretRandom(key: Uint8Array = randomBytes(32)): SecretRandom {
  if (key.length !== 32) throw new RangeError(`a key has 32 bytes, not ${key.length}`);
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const uniforms = (length: number) => {
    const bits = new Uint32Array(Uint8Array.from(cipher.update(Buffer.alloc(length * 8))).buffer);
    const values = new Float64Array(length);
    for (let i = 0; i < length; i++)
      values[i] = ((bits[2 * i]! >>> 5) * 67108864 + (bits[2 * i + 1]! >>> 6) + 1) / 2 ** 53;
    return values;
  };
  return { uniforms, normals: (length) => normalsFrom(uniforms, length) };
}

// Each number is half the sum of four Gaussians of the Box-Muller method: from the sum, the spacing of float64 numbers
// no longer betrays what it was added to (Holohan and Braghin 2021).
const summed = 4;

function normalsFrom(uniforms: (length: number) => Float64Array, length: number): Float32Array {
  const values = new Float64Array(length + 1);
  const drawn = uniforms(summed * (length + (length % 2)));
  for (let i = 0, from = 0; i < length; i += 2) {
    for (let pair = 0; pair < summed; pair++, from += 2) {
      const radius = Math.sqrt(-2 * Math.log(drawn[from]!));
      const angle = 2 * Math.PI * drawn[from + 1]!;
      values[i]! += radius * Math.cos(angle);
      values[i + 1]! += radius * Math.sin(angle);
    }
  }
  return Float32Array.from(values.subarray(0, length), (value) => value / Math.sqrt(summed));
}

/**
 * The rows of one step's batch, rising: each is in it with probability `rate`, whatever the others do (Poisson sampling,
 * which is what the accountant assumes; a shuffled epoch is something else). May be empty.
 */
export function poissonSample(rows: number, rate: number, random: SecretRandom): Int32Array {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`a sample rate lies in [0, 1], not ${rate}`);
  const drawn = random.uniforms(rows);
  return Int32Array.from({ length: rows }, (_, row) => row).filter((row) => drawn[row]! <= rate);
}
