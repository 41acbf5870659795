/** One-operand functions, applied to each element. */
import { defineOp, type OpDefinition } from "../defineOp.ts";
import { constant, type Node } from "../graph.ts";
import { add, div, mul, square, sub } from "./elementwise.ts";
import { equal, greater, where } from "./logic.ts";

type NoAttributes = Record<never, never>;
type Rule = (context: { x: Node; y: Node; dy: Node }) => Node;

function unary(op: string, rule: Rule | "none") {
  const gradient: OpDefinition<1, NoAttributes>["gradient"] =
    rule === "none" ? "none" : ({ inputs: [x], output: y, dy }) => [rule({ x, y, dy })];
  return defineOp<1>(op, { infer: ([x]) => x, gradient });
}

export const activations = {
  Neg: unary("Neg", ({ dy }) => neg(dy)),
  Exp: unary("Exp", ({ y, dy }) => mul(dy, y)),
  Log: unary("Log", ({ x, dy }) => div(dy, x)),
  Sqrt: unary("Sqrt", ({ y, dy }) => div(mul(dy, 0.5), y)),
  Abs: unary("Abs", ({ x, dy }) => mul(dy, sign(x))),
  Sign: unary("Sign", "none"),
  Tanh: unary("Tanh", ({ y, dy }) => mul(dy, sub(1, square(y)))),
  Sigmoid: unary("Sigmoid", ({ y, dy }) => mul(dy, mul(y, sub(1, y)))),
  Relu: unary("Relu", ({ x, dy }) => where(greater(x, 0), dy, 0)),
  HardSigmoid: defineOp<1, { alpha: number; beta: number }>("HardSigmoid", {
    attributes: { alpha: "float", beta: "float" },
    infer: ([x]) => x,
    gradient: ({ output: y, dy, attributes: { alpha } }) => [where(greater(mul(y, sub(1, y)), 0), mul(dy, alpha), 0)],
  }),
  // erf'(x) = 2/sqrt(pi) exp(-x^2)
  Erf: unary("Erf", ({ x, dy }) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))),
  Gelu: defineOp<1, { approximate: GeluForm }>("Gelu", {
    attributes: { approximate: "string" },
    infer: ([x]) => x,
    gradient: ({ inputs: [x], dy, attributes: { approximate } }) => [mul(dy, geluSlopes[approximate](x))],
  }),
  // The tanh form of what the bias is added to first.
  // https://github.com/microsoft/onnxruntime/blob/v1.23.0/docs/ContribOperators.md#com.microsoft.FastGelu
  FastGelu: defineOp<2>("FastGelu", {
    domain: "com.microsoft",
    infer: ([x, bias], _attributes, fail) => {
      if (bias.shape.length !== 1 || bias.shape[0] !== x.shape.at(-1)) throw fail("takes a bias for the last axis");
      return x;
    },
    gradient: "none",
  }),
  Clip: defineOp<3>("Clip", {
    infer: ([x, low, high], _attributes, fail) => {
      if (low.shape.length + high.shape.length > 0) throw fail("bounds must be scalars");
      return x;
    },
    gradient: ({ inputs: [x], output, dy }) => [where(equal(x, output), dy, 0), null, null],
  }),
};

type GeluForm = "none" | "tanh";

const geluSlopes: Record<GeluForm, (x: Node) => Node> = {
  // gelu(x) = x cdf(x), so gelu'(x) = cdf(x) + x pdf(x), with cdf(x) = (1 + erf(u)) / 2 for u = x / sqrt(2), and
  // x pdf(x) = x / sqrt(2 pi) / e^(u^2), which is 0 where the power overflows. These are large tensors: each pass counts.
  none: (x) => {
    const u = mul(x, Math.SQRT1_2);
    return add(hardSigmoid(erf(u), 0.5, 0.5), div(mul(x, 1 / Math.sqrt(2 * Math.PI)), exp(square(u))));
  },
  // With u = sqrt(2/pi) (x + 0.044715 x^3) and t = tanh(u): gelu(x) = x (1 + t) / 2, so
  // gelu'(x) = (1 + t) / 2 + x (1 - t^2) u' / 2
  tanh: (x) => {
    const scale = Math.sqrt(2 / Math.PI);
    const t = tanh(mul(mul(x, scale), add(mul(square(x), 0.044715), 1)));
    const inner = mul(add(mul(square(x), 3 * 0.044715), 1), scale);
    return mul(add(add(t, 1), mul(mul(x, inner), sub(1, square(t)))), 0.5);
  },
};

export function neg(x: Node): Node {
  return activations.Neg([x], {});
}
export function exp(x: Node): Node {
  return activations.Exp([x], {});
}
/** Natural logarithm. */
export function log(x: Node): Node {
  return activations.Log([x], {});
}
export function sqrt(x: Node): Node {
  return activations.Sqrt([x], {});
}
export function abs(x: Node): Node {
  return activations.Abs([x], {});
}
export function sign(x: Node): Node {
  return activations.Sign([x], {});
}
export function tanh(x: Node): Node {
  return activations.Tanh([x], {});
}
export function sigmoid(x: Node): Node {
  return activations.Sigmoid([x], {});
}
export function relu(x: Node): Node {
  return activations.Relu([x], {});
}
/** alpha x + beta, held within [0, 1]: one pass over memory. */
export function hardSigmoid(x: Node, alpha: number, beta: number): Node {
  return activations.HardSigmoid([x], { alpha, beta });
}
export function erf(x: Node): Node {
  return activations.Erf([x], {});
}
/**
 * x times the normal distribution function of x: the exact form (Hendrycks and Gimpel 2016), not the tanh
 * approximation.
 */
export function gelu(x: Node): Node {
  return activations.Gelu([x], { approximate: "none" });
}
/** The tanh approximation of `gelu`, which GPT-2 was trained with; at most 5e-4 away from it. */
export function geluTanh(x: Node): Node {
  return activations.Gelu([x], { approximate: "tanh" });
}
/** x held within [low, high]; outside them the gradient is zero. */
export function clip(x: Node, low: number, high: number): Node {
  return activations.Clip([x, constant(low, x.type.dataType), constant(high, x.type.dataType)], {});
}
