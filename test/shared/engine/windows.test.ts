/** Convolution and pooling: values against loops in plain JavaScript, ties, refusals, repeatability. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  averagePool,
  conv,
  convTranspose,
  globalAveragePool,
  globalMaxPool,
  gradients,
  input,
  maxPool,
  mul,
  reduceSum,
  relu,
  toOnnx,
} from "../../../shared/engine/index.ts";
import { assertClose, bytesOf, evaluate, numbers, randomValues, tensor, withSession } from "./run.ts";

interface Plane {
  height: number;
  width: number;
}
interface Window {
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
}

const counts = ({ height, width }: Plane, { kernel, stride, padding, dilation }: Window) =>
  [height, width].map((size) => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1) as [
    number,
    number,
  ];

/** The elements under a window, by tap; undefined in the padding. */
function under(plane: Plane, { kernel, stride, padding, dilation }: Window, row: number, column: number) {
  return Array.from({ length: kernel * kernel }, (_, tap) => {
    const y = row * stride - padding + Math.floor(tap / kernel) * dilation;
    const x = column * stride - padding + (tap % kernel) * dilation;
    return y >= 0 && y < plane.height && x >= 0 && x < plane.width ? y * plane.width + x : undefined;
  });
}

const window = { kernel: 3, stride: 2, padding: 1, dilation: 1 };
const plane = { height: 6, width: 5 };
const [rows, columns] = counts(plane, window);
const places = Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const);
const values = randomValues(2 * 4 * 30, { seed: 3 });
const x = input("x", ["batch", 4, 6, 5]);
const feed = { x: tensor([2, 4, 6, 5], values) };
const read = (image: number, channel: number, at: number | undefined) =>
  at === undefined ? 0 : values[(image * 4 + channel) * 30 + at]!;

describe("convolution", () => {
  const w = input("w", [6, 2, 3, 3]);
  const weights = randomValues(6 * 2 * 9, { seed: 4 });
  const bias = [0.5, -1, 0, 2, 1, -0.25];

  it("in two groups, with stride, padding and bias, is the sum over taps and channels", async () => {
    const b = input("b", [6]);
    const found = await evaluate(
      { y: conv(x, w, { stride: 2, padding: 1, groups: 2, bias: b }) },
      { ...feed, w: tensor([6, 2, 3, 3], weights), b: tensor([6], bias) },
    );
    const expected = [0, 1].flatMap((image) =>
      bias.flatMap((shift, output) =>
        places.map(([row, column]) => {
          const taps = under(plane, window, row, column);
          const first = output < 3 ? 0 : 2;
          const channel = (i: number) =>
            taps.reduce<number>(
              (sum, at, tap) => sum + read(image, first + i, at) * weights[(output * 2 + i) * 9 + tap]!,
              0,
            );
          return shift + channel(0) + channel(1);
        }),
      ),
    );
    assert.deepEqual(found.y!.shape, [2, 6, rows, columns]);
    assertClose(numbers(found.y), expected, 2e-6);
  });

  it("transposed is its adjoint: <conv(x), y> = <x, convTranspose(y)>", async () => {
    const kernel = input("k", [3, 4, 2, 2]);
    const y = input("y", ["batch", 3, 3, 2]);
    const options = { stride: 2, padding: [0, 1] };
    const taller = input("taller", ["batch", 4, 6, 2]);
    const found = await evaluate(
      {
        there: reduceSum(mul(conv(taller, kernel, options), y)),
        back: reduceSum(mul(taller, convTranspose(y, kernel, options))),
      },
      {
        taller: tensor([2, 4, 6, 2], values.slice(0, 96)),
        y: tensor([2, 3, 3, 2], values.slice(90, 126)),
        k: tensor([3, 4, 2, 2], values.slice(130, 178)),
      },
    );
    assertClose(numbers(found.back), numbers(found.there), 1e-5);
    assert.ok(Math.abs(numbers(found.there)[0]!) > 0.1);
  });

  it("refuses channels, groups and windows that do not fit, in words", () => {
    const kernel = input("k", [6, 3, 3, 3]);
    assert.throws(() => conv(x, kernel), /Conv\(\[batch, 4, 6, 5\], \[6, 3, 3, 3\]\): 1 groups of 3 channels/);
    assert.throws(() => conv(x, input("k", [3, 2, 3, 3]), { groups: 2 }), /3 channels are not 2 groups/);
    assert.throws(() => conv(x, input("k", [6, 4, 7, 3])), /no window of 7 fits axis 2/);
    assert.throws(() => conv(x, input("k", [6, 4, 3])), /batch, channels and space|the window is not of 2 axes/);
    assert.throws(() => conv(x, input("k", [6, 4, 3, 3]), { stride: [1] }), /the window is not of 2 axes/);
    const open = input("open", ["batch", 4, "samples"]);
    assert.throws(
      () => convTranspose(open, input("k", [4, 2, 3]), { stride: 2 }),
      /axis 2 is symbolic and has a stride/,
    );
  });
});

describe("pooling", () => {
  const perPlane = (of: (elements: number[], taps: (number | undefined)[]) => number) =>
    Array.from({ length: 8 }, (_, i) => [i >> 2, i % 4] as const).flatMap(([image, channel]) =>
      places.map(([row, column]) => {
        const taps = under(plane, window, row, column);
        return of(
          taps.filter((at) => at !== undefined).map((at) => read(image, channel, at)),
          taps,
        );
      }),
    );
  const options = { kernel: 3, stride: 2, padding: 1 };

  it("takes the largest element of a window, never the padding", async () => {
    const found = await evaluate(
      { y: maxPool(x, options) },
      {
        x: tensor(
          [2, 4, 6, 5],
          values.map((v) => v - 2),
        ),
      },
    );
    assertClose(
      numbers(found.y),
      perPlane((elements) => Math.max(...elements) - 2),
      1e-6,
    );
  });

  it("takes the mean of a window, padding counting as zeros", async () => {
    const found = await evaluate({ y: averagePool(x, options) }, feed);
    assertClose(
      numbers(found.y),
      perPlane((elements, taps) => elements.reduce((sum, value) => sum + value, 0) / taps.length),
      1e-6,
    );
  });

  it("over whole planes gives a number per channel", async () => {
    const found = await evaluate({ mean: globalAveragePool(x), max: globalMaxPool(x) }, feed);
    const planes = Array.from({ length: 8 }, (_, i) => [...values.slice(i * 30, i * 30 + 30)]);
    assert.deepEqual(found.mean!.shape, [2, 4]);
    assertClose(
      numbers(found.max),
      planes.map((elements) => Math.max(...elements)),
      0,
    );
    assertClose(
      numbers(found.mean),
      planes.map((elements) => elements.reduce((sum, value) => sum + value, 0) / 30),
      1e-6,
    );
  });

  it("shares a window's gradient among ties, and gives none of it to padding", async () => {
    // After a rectifier, zeros tie with the zeros of padding.
    const line = input("line", [1, 1, 4]);
    const loss = reduceSum(maxPool(line, { kernel: 2, stride: 2, padding: 1 }));
    const found = await evaluate({ d: gradients(loss, [line]).get(line)! }, { line: tensor([1, 1, 4], [0, 3, 3, 1]) });
    // Windows: (padding, 0), (3, 3), (1, padding).
    assert.deepEqual(numbers(found.d), [1, 0.5, 0.5, 1]);
  });

  it("refuses a window that could lie in the padding, and a gradient over axes of unknown size", () => {
    assert.throws(() => maxPool(x, { kernel: 2, padding: 2 }), /padding exceeds half the window/);
    const line = input("line", ["batch", 1, "samples"]);
    assert.throws(() => gradients(reduceSum(maxPool(line, { kernel: 2 })), [line]), /spatial axes of known size/);
  });
});

describe("the gradients of a convolutional network", () => {
  it("repeat bit for bit over runs and sessions", async () => {
    const w = input("w", [8, 4, 3, 3]);
    const pooled = maxPool(relu(conv(x, w, { padding: 1 })), { kernel: 3, stride: 2, padding: 1 });
    const found = gradients(reduceSum(mul(pooled, pooled)), [x, w]);
    const model = toOnnx({ outputs: { dx: found.get(x)!, dw: found.get(w)! } });
    const feeds = { ...feed, w: tensor([8, 4, 3, 3], randomValues(288, { seed: 8 })) };
    const run = () => withSession(model, async (session) => [await session.run(feeds), await session.run(feeds)]);
    const [first, ...others] = (await Promise.all([run(), run()])).flat();
    for (const other of others)
      for (const name of ["dx", "dw"]) assert.ok(bytesOf(other[name]!).equals(bytesOf(first![name]!)));
  });
});
