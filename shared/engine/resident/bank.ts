/** The adapters of many models side by side, as the tensors that a resident base reads its rows' adapters from. */
import type { Tensor } from "../dataTypes.ts";
import { adapterRoot, type LoraConfig, type Placement, scaleOf } from "../layers/lora.ts";

type Weights = ReadonlyMap<string, Tensor>;

/** A model does not fit its slot; the message names the tensor. */
export class BankError extends Error {
  override name = "BankError";
}

interface Store {
  readonly placement: Placement;
  /** [slots, inputs, rank] */
  readonly a: Float32Array;
  /** [slots, rank, outputs], scaled. */
  readonly b: Float32Array;
}

export class AdapterBank {
  readonly slots: number;
  readonly #config: LoraConfig;
  readonly #stores: readonly Store[];

  /** Memory is reserved for all slots, and taken as they are filled. Slot 0 stays as it is: no adapter. */
  constructor(placements: readonly Placement[], config: LoraConfig, slots: number) {
    this.slots = slots;
    this.#config = config;
    this.#stores = placements.map((placement) => ({
      placement,
      a: new Float32Array(slots * placement.inputs * config.rank),
      b: new Float32Array(slots * config.rank * placement.outputs),
    }));
  }

  static bytesPerSlot(placements: readonly Placement[], { rank }: LoraConfig): number {
    return placements.reduce((sum, { inputs, outputs }) => sum + 4 * rank * (inputs + outputs), 0);
  }

  /** Fills a slot with an adapter's weights, named as PEFT names them. Throws BankError, and then the slot is not used. */
  put(slot: number, weights: Weights): void {
    const { rank } = this.#config;
    const scale = scaleOf(this.#config);
    const found = this.#stores.map(({ placement: { path, inputs, outputs } }) => ({
      a: matrixOf(weights, `${adapterRoot}.${path}.lora_A.weight`, [rank, inputs]),
      b: matrixOf(weights, `${adapterRoot}.${path}.lora_B.weight`, [outputs, rank]),
    }));
    for (const [i, { placement, a, b }] of this.#stores.entries()) {
      const { inputs, outputs } = placement;
      turn(found[i]!.a, a.subarray(slot * inputs * rank), [rank, inputs], 1);
      turn(found[i]!.b, b.subarray(slot * rank * outputs), [outputs, rank], scale);
    }
  }

  /** The banks by the names of the graph's inputs. */
  feeds(): Record<string, Tensor> {
    const { rank } = this.#config;
    return Object.fromEntries(
      this.#stores.flatMap(({ placement: { path, inputs, outputs }, a, b }) => [
        [`${path}.a`, { shape: [this.slots, inputs, rank], data: a }],
        [`${path}.b`, { shape: [this.slots, rank, outputs], data: b }],
      ]),
    );
  }
}

function matrixOf(weights: Weights, name: string, [rows, columns]: readonly [number, number]): Float32Array {
  const tensor = weights.get(name);
  if (!tensor) throw new BankError(`tensor "${name}" is missing`);
  const fits = tensor.shape.length === 2 && tensor.shape[0] === rows && tensor.shape[1] === columns;
  if (!fits) throw new BankError(`tensor "${name}" is [${tensor.shape.join(", ")}], not [${rows}, ${columns}]`);
  if (!(tensor.data instanceof Float32Array)) throw new BankError(`tensor "${name}" is not float32`);
  return tensor.data;
}

/** The transpose of a [rows, columns] matrix, scaled. */
function turn(from: Float32Array, to: Float32Array, [rows, columns]: readonly [number, number], scale: number): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) to[column * rows + row] = scale * from[row * columns + column]!;
  }
}
