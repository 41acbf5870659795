/** Runs a graph on a real ONNX Runtime session, the way every engine test looks at values. */
import assert from "node:assert/strict";
import type { Node, Tensor, TypedArray } from "../../../shared/engine/index.ts";
import { toOnnx } from "../../../shared/engine/index.ts";
import { createSession, type Session } from "../../../shared/engine/runtime/session.ts";

export function tensor(shape: readonly number[], values: TypedArray | readonly number[]): Tensor {
  return { shape, data: Array.isArray(values) ? Float32Array.from(values) : (values as TypedArray) };
}

export function numbers(tensor: Tensor | undefined): number[] {
  return Array.from(tensor!.data as ArrayLike<number | bigint>, Number);
}

/** Fails unless each number is within `tolerance` of what is expected, relative where that exceeds 1. */
export function assertClose(found: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries()) {
    const allowed = tolerance * Math.max(1, Math.abs(expected[i]!));
    assert.ok(Math.abs(value - expected[i]!) <= allowed, `element ${i} is ${value}, not ${expected[i]}`);
  }
}

/** Bytes of a tensor, for comparisons bit for bit. */
export function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

export async function withSession<T>(
  model: Uint8Array,
  use: (session: Session) => Promise<T>,
  threads = 2,
): Promise<T> {
  const session = await createSession(model, { threads });
  try {
    return await use(session);
  } finally {
    await session.release();
  }
}

/**
 * The values of some nodes. Feeds the model does not take are left out, so that one set of feeds serves many graphs.
 */
export async function evaluate(
  outputs: Record<string, Node>,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor>> {
  return withSession(toOnnx({ outputs }), (session) => session.run(pickFeeds(session, feeds)));
}

export function pickFeeds(session: Session, feeds: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
}

/** Repeatable test data, uniform in [low, high). */
export function randomValues(length: number, { seed = 1, low = -1, high = 1 } = {}): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return low + ((high - low) * state) / 2147483647;
  });
}
