/**
 * A base in memory, and the models tuned from it that were asked last. A model is an adapter in a slot and a head beside
 * it; each row of a batch names its own.
 */
import type { Tensor } from "../dataTypes.ts";
import type { LoraConfig } from "../layers/lora.ts";
import { type Pretrained, weightsFor } from "../models/pretrained.ts";
import { toOnnx } from "../onnx.ts";
import type { Precision } from "../quantization/precision.ts";
import { servingModel } from "../quantization/serving.ts";
import { createSession, type Session } from "../runtime/session.ts";
import { padBatch } from "../training/textBatches.ts";
import { AdapterBank, BankError } from "./bank.ts";
import { residentGraph } from "./graph.ts";

export interface ResidentRow {
  /** At least one token id. */
  readonly ids: Int32Array;
  /** Names a model beyond doubt: owner, name and content. Null: the base as it is. */
  readonly model: string | null;
}

export interface ResidentAnswer {
  /** The model whose adapter the row was read through, as its slot has it. */
  readonly model: string | null;
  /** float32 [hidden]: the mean of the text's states. */
  readonly vector: Float32Array;
  /** float32 [classes]; null for the base as it is. */
  readonly logits: Float32Array | null;
}

/**
 * The weights of a model: its adapter, and a head `classifier.weight` [classes, hidden] with `classifier.bias`. Where it
 * throws, the rows of that model fail, and no others.
 */
export type LoadModel = (model: string) => ReadonlyMap<string, Tensor>;

export interface ResidentOptions {
  readonly threads: number;
  /** Of the base's own matrices. */
  readonly precision: Precision;
  /** The most that adapters may take. */
  readonly adapterBytes: number;
}

interface Slot {
  readonly index: number;
  readonly model: string;
  readonly head: { readonly weight: Float32Array; readonly bias: Float32Array };
}

export class Resident {
  readonly #session: Session;
  readonly #hidden: number;
  readonly #bank: AdapterBank;
  /** By model, in order of last use. */
  readonly #slots = new Map<string, Slot>();
  /** Whose adapter each slot holds: written with the slot, and compared when a row is read through it. */
  readonly #owners: (string | null)[] = [null];
  readonly #free: number[];

  private constructor(session: Session, hidden: number, bank: AdapterBank) {
    this.#session = session;
    this.#hidden = hidden;
    this.#bank = bank;
    this.#free = Array.from({ length: bank.slots - 1 }, (_, i) => bank.slots - 1 - i);
  }

  /** Throws CheckpointError for weights that do not fit, LoraError for an adapter that the model has no place for. */
  static async open(pretrained: Pretrained, config: LoraConfig, options: ResidentOptions): Promise<Resident> {
    const { vector, placements, parameters } = residentGraph(pretrained.model, config);
    // Whatever head the checkpoint has is left behind.
    const initializers = weightsFor(pretrained, parameters, { seed: 0 });
    const model = servingModel({ outputs: { vector }, initializers }, options.precision);
    const session = await createSession(toOnnx(model), options);
    const slots = 1 + Math.max(1, Math.floor(options.adapterBytes / AdapterBank.bytesPerSlot(placements, config)));
    return new Resident(session, pretrained.model.hidden, new AdapterBank(placements, config, slots));
  }

  /** Models that are loaded. */
  get models(): readonly string[] {
    return [...this.#slots.keys()];
  }

  /** The most models that one call may name. */
  get capacity(): number {
    return this.#bank.slots - 1;
  }

  /**
   * Loads what is not loaded. Gives an error for each row whose model could not be. Throws BankError for more models than
   * there are slots.
   */
  async run(rows: readonly ResidentRow[], load: LoadModel): Promise<(ResidentAnswer | Error)[]> {
    const failures = this.#prepare(rows, load);
    const failureOf = ({ model }: ResidentRow) => (model === null ? undefined : failures.get(model));
    const readable = rows.filter((row) => !failureOf(row));
    const read = readable.length > 0 ? await this.#read(readable) : [];
    return rows.map((row) => failureOf(row) ?? read[readable.indexOf(row)]!);
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #read(rows: readonly ResidentRow[]): Promise<ResidentAnswer[]> {
    const slots = rows.map(({ model }) => (model === null ? undefined : this.#slots.get(model)!));
    const outputs = await this.#session.run({
      ...padBatch(rows.map(({ ids }) => ids)),
      slot: { shape: [rows.length], data: Int32Array.from(slots, (slot) => slot?.index ?? 0) },
      ...this.#bank.feeds(),
    });
    const vectors = outputs.vector!.data as Float32Array;
    return rows.map((row, i) => {
      const slot = slots[i];
      const model = this.#owners[slot?.index ?? 0]!;
      if (model !== row.model) throw new Error(`a row of ${row.model} was read through the adapter of ${model}`);
      const vector = vectors.slice(i * this.#hidden, (i + 1) * this.#hidden);
      return { model, vector, logits: slot ? logitsOf(vector, slot.head) : null };
    });
  }

  /** Why models could not be loaded, by model. */
  #prepare(rows: readonly ResidentRow[], load: LoadModel): Map<string, Error> {
    const wanted = new Set(rows.flatMap(({ model }) => model ?? []));
    if (wanted.size > this.capacity) {
      throw new BankError(`${wanted.size} models at once do not fit into ${this.capacity} slots`);
    }
    // Those already here are used last, so that none of them is thrown out for another of the same call.
    for (const model of wanted) this.#touch(model);
    const failures = new Map<string, Error>();
    for (const model of wanted) {
      try {
        if (!this.#slots.has(model)) this.#load(model, load(model));
      } catch (error) {
        failures.set(model, error as Error);
      }
    }
    return failures;
  }

  #touch(model: string): void {
    const slot = this.#slots.get(model);
    if (!slot) return;
    this.#slots.delete(model);
    this.#slots.set(model, slot);
  }

  #load(model: string, weights: ReadonlyMap<string, Tensor>): void {
    const head = headOf(weights, this.#hidden);
    const index = this.#free.pop() ?? this.#evict();
    this.#owners[index] = null;
    try {
      this.#bank.put(index, weights);
    } catch (error) {
      this.#free.push(index);
      throw error;
    }
    this.#owners[index] = model;
    this.#slots.set(model, { index, model, head });
  }

  #evict(): number {
    const [oldest] = this.#slots.values();
    this.#slots.delete(oldest!.model);
    return oldest!.index;
  }
}

function headOf(weights: ReadonlyMap<string, Tensor>, hidden: number): Slot["head"] {
  const bias = weights.get("classifier.bias");
  const weight = weights.get("classifier.weight");
  const classes = bias?.shape[0];
  if (!bias || !weight || weight.shape[0] !== classes || weight.shape[1] !== hidden) {
    throw new BankError(`the head "classifier" must have a weight [classes, ${hidden}] and a bias [classes]`);
  }
  // Copies: the file that they are views of is let go.
  return { weight: (weight.data as Float32Array).slice(), bias: (bias.data as Float32Array).slice() };
}

/** Some 30,000 products a text, which is less than a call of a session costs. */
function logitsOf(vector: Float32Array, { weight, bias }: Slot["head"]): Float32Array {
  const width = vector.length;
  return bias.map((start, label) => {
    let sum = start;
    for (let i = 0, at = label * width; i < width; i++, at++) sum += weight[at]! * vector[i]!;
    return sum;
  });
}
