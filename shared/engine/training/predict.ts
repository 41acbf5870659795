/** What a trained model says about many rows, batch by batch. */
import type { Tensor } from "../dataTypes.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { createSession } from "../runtime/session.ts";
import { dataOf } from "../weights/tensors.ts";
import type { ModelFunction, Tensors } from "./fitGraph.ts";
import { taken } from "./fitter.ts";

export interface PredictOptions {
  /** Of one output, whose first axis is that of rows and whose others do not differ between batches. */
  readonly model: ModelFunction;
  /** Every weight of the model, by name. */
  readonly weights: Tensors;
  readonly rows: number;
  /** Tensors by the names of the model's inputs; what it does not take is left out. */
  readonly feeds: (rows: Int32Array) => Tensors;
  /** Rows at once. Default 256. */
  readonly batch?: number;
  readonly threads?: number;
}

/** float32 [rows, ...]. Throws as `toOnnx` and `createSession`. */
export async function predict(options: PredictOptions): Promise<Tensor> {
  const { model, weights, rows, feeds, batch = 256, threads = 2 } = options;
  const output = model(new WeightScope());
  const initializers = dataOf(weights);
  const session = await createSession(toOnnx({ outputs: { output }, initializers }), { threads });
  const parts: Tensor[] = [];
  for (let start = 0; start < rows; start += batch) {
    const chosen = Int32Array.from({ length: Math.min(batch, rows - start) }, (_, i) => start + i);
    parts.push((await session.run(taken(session, feeds(chosen)))).output!);
  }
  await session.release();
  const data = new Float32Array(parts.reduce((length, part) => length + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return { shape: [rows, ...(parts[0]?.shape.slice(1) ?? [])], data };
}
