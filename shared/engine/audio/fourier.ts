/** The discrete Fourier transform for lengths that are powers of two. */

/**
 * Replaces real + i imaginary by its transform, in place (Cooley and Tukey 1965, radix 2). Throws RangeError for lengths
 * that differ or are no power of two.
 */
export function fourierTransform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  if (size !== imaginary.length || size < 1 || (size & (size - 1)) !== 0) {
    throw new RangeError(`a transform takes two arrays of one power of two, not ${size} and ${imaginary.length}`);
  }
  reverseBits(real, imaginary);
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [cosine, sine] = [Math.cos((Math.PI * k) / half), -Math.sin((Math.PI * k) / half)];
      for (let even = k; even < size; even += 2 * half) {
        const odd = even + half;
        const re = real[odd]! * cosine - imaginary[odd]! * sine;
        const im = real[odd]! * sine + imaginary[odd]! * cosine;
        real[odd] = real[even]! - re;
        imaginary[odd] = imaginary[even]! - im;
        real[even]! += re;
        imaginary[even]! += im;
      }
    }
  }
}

/** Element i changes place with the element whose number has the bits of i in reverse. */
function reverseBits(real: Float64Array, imaginary: Float64Array): void {
  for (let i = 1, reversed = 0; i < real.length; i++) {
    let bit = real.length >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i >= reversed) continue;
    [real[i], real[reversed]] = [real[reversed]!, real[i]!];
    [imaginary[i], imaginary[reversed]] = [imaginary[reversed]!, imaginary[i]!];
  }
}
