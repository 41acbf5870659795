/** LSTM and GRU over a fixed number of steps, unrolled; weights are named and laid out as PyTorch's. */
import type { Node } from "../graph.ts";
import { sigmoid, tanh } from "../ops/activations.ts";
import { add, mul, sub } from "../ops/elementwise.ts";
import { concat, reshape, slice, unsqueeze } from "../ops/layout.ts";
import { cast, greater, where } from "../ops/logic.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { zerosLike } from "../ops/shapes.ts";
import { unstack } from "../ops/unstack.ts";
import type { WeightScope } from "./weightScope.ts";

export interface RecurrentOptions {
  /** Width of the state. */
  readonly hidden: number;
  /** How many are stacked, each reading the states of the one below. Default 1. */
  readonly layers?: number;
  /** Whether a second one reads from the end, its states put behind the first's. Default false. */
  readonly bidirectional?: boolean;
  /** int32 or float32 [batch, sequence], 1 for a step, 0 for padding, which leaves the state as it is. */
  readonly mask?: Node | undefined;
}

export interface RecurrentStates {
  /** float32 [batch, sequence, hidden (twice if bidirectional)] of the last layer; zeros at padding. */
  readonly states: Node;
  /** float32 [batch, hidden (twice if bidirectional)]: the last layer's states after the last step of each direction. */
  readonly last: Node;
}

/** The state a cell hands on: h, then whatever else it remembers. */
type State = readonly Node[];

interface Cell {
  /** How many times the state's width a step computes. */
  readonly gates: number;
  /** How many nodes the state has. */
  readonly memories: number;
  /** The next state, from what the step's input and the state before contribute to the gates. */
  step(fromInput: Node, fromState: Node, state: State): State;
}

// Hochreiter and Schmidhuber 1997 with forget gates (Gers et al. 2000), in PyTorch's order: i, f, g, o.
const lstmCell: Cell = {
  gates: 4,
  memories: 2,
  step: (fromInput, fromState, [, c]) => {
    const [i, f, g, o] = parts(add(fromInput, fromState), 4);
    const next = add(mul(sigmoid(f!), c!), mul(sigmoid(i!), tanh(g!)));
    return [mul(sigmoid(o!), tanh(next)), next];
  },
};

// Cho et al. 2014 as in cuDNN and PyTorch: r, z, n, and the reset applied after the product with the state.
const gruCell: Cell = {
  gates: 3,
  memories: 1,
  step: (fromInput, fromState, [h]) => {
    const [[rx, zx, nx], [rh, zh, nh]] = [parts(fromInput, 3), parts(fromState, 3)];
    const candidate = tanh(add(nx!, mul(sigmoid(add(rx!, rh!)), nh!)));
    return [add(candidate, mul(sigmoid(add(zx!, zh!)), sub(h!, candidate)))];
  },
};

/** Weights: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, and so on for other layers and "_reverse". */
export function lstm(scope: WeightScope, x: Node, options: RecurrentOptions): RecurrentStates {
  return recurrent(lstmCell, scope, x, options);
}

/** Weights are named as those of `lstm`. */
export function gru(scope: WeightScope, x: Node, options: RecurrentOptions): RecurrentStates {
  return recurrent(gruCell, scope, x, options);
}

/** x float32 [batch, sequence, inputs], the sequence of known length. */
function recurrent(cell: Cell, scope: WeightScope, x: Node, options: RecurrentOptions): RecurrentStates {
  const { layers = 1, bidirectional = false, mask } = options;
  const seen = mask && unstack(unsqueeze(greater(cast(mask, "float32"), 0.5), [2]), 1);
  const directions = bidirectional ? ["", "_reverse"] : [""];
  let result: RecurrentStates = { states: x, last: x };
  for (let layer = 0; layer < layers; layer++) {
    const below = result.states;
    const found = directions.map((direction) => {
      const gates = gatesOf(cell, scope, `_l${layer}${direction}`, options.hidden);
      return run(cell, gates, below, { seen, backwards: direction !== "" });
    });
    const states = found.map(({ states: each }) => each);
    const last = found.map((each) => each.last);
    result = { states: side(states, 2), last: side(last, 1) };
  }
  return result;
}

const side = (nodes: readonly Node[], axis: number) => (nodes.length === 1 ? nodes[0]! : concat(nodes, axis));

interface Gates {
  readonly fromInput: (x: Node) => Node;
  readonly fromState: (h: Node) => Node;
}

function gatesOf(cell: Cell, scope: WeightScope, suffix: string, hidden: number): Gates {
  const rows = cell.gates * hidden;
  const projection = (from: "ih" | "hh") => (x: Node) => {
    const weight = scope.get(`weight_${from}${suffix}`, [rows, x.type.shape.at(-1) as number]);
    return add(matmul(x, swapLast(weight)), scope.get(`bias_${from}${suffix}`, [rows]));
  };
  return { fromInput: projection("ih"), fromState: projection("hh") };
}

interface Course {
  /** Per step bool [batch, 1, 1]: whether it is no padding. */
  readonly seen: readonly Node[] | undefined;
  readonly backwards: boolean;
}

function run(cell: Cell, gates: Gates, x: Node, { seen, backwards }: Course): RecurrentStates {
  // One product for all steps; only the state's has to wait for the step before.
  const projected = unstack(gates.fromInput(x), 1).map(withoutTime);
  const rows = seen?.map(withoutTime);
  const order = backwards ? [...projected.keys()].reverse() : [...projected.keys()];
  const zeros = zerosLike(parts(projected[0]!, cell.gates)[0]!);
  let state: State = Array<Node>(cell.memories).fill(zeros);
  const outputs: Node[] = [];
  for (const t of order) {
    const next = cell.step(projected[t]!, gates.fromState(state[0]!), state);
    state = rows ? next.map((node, i) => where(rows[t]!, node, state[i]!)) : next;
    outputs[t] = rows ? where(rows[t]!, state[0]!, 0) : state[0]!;
  }
  const states = concat(
    outputs.map((node) => unsqueeze(node, [1])),
    1,
  );
  return { states, last: state[0]! };
}

function withoutTime(x: Node): Node {
  const [batch, , width] = x.type.shape;
  return reshape(x, [batch!, width!]);
}

function parts(x: Node, count: number): Node[] {
  const width = (x.type.shape[1] as number) / count;
  return Array.from({ length: count }, (_, i) => slice(x, { axis: 1, start: i * width, end: (i + 1) * width }));
}
