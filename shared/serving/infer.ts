/** Answers of ONNX models that an operator imported, tensors in and tensors out. */
import { join } from "node:path";
import type { Tensor } from "../engine/dataTypes.ts";
import { ApiError } from "../errors.ts";
import type { OnnxRecord } from "../schemas/base.ts";
import type { HostContext } from "./hostContext.ts";
import { createRoom } from "./room.ts";

export interface Inferring {
  /**
   * The outputs by name, in the order asked for. Throws ApiError: for inputs that the model itself refuses, and `queue_full`
   * when too many calls wait.
   */
  infer(
    model: OnnxRecord,
    call: { readonly inputs: Readonly<Record<string, Tensor>>; readonly outputs: readonly string[] },
    signal?: AbortSignal,
  ): Promise<Record<string, Tensor>>;
}

/** Calls are not merged: of a model of others' making nobody knows whether its rows are independent. */
const mostWaiting = 64;

export function createInfer({ bases, call }: Pick<HostContext, "bases" | "call">): Inferring {
  const room = createRoom(mostWaiting);
  return {
    async infer(model, { inputs, outputs }, signal) {
      room.require();
      const leave = room.enter();
      try {
        const { path } = await bases.open(model);
        signal?.throwIfAborted();
        const answer = await call("infer", { path: join(path, model.files[0]!.name), feeds: inputs, outputs });
        if ("found" in answer) return answer.found;
        throw new ApiError("invalid_value", `The model refuses these inputs: ${answer.refused}.`, { param: "inputs" });
      } finally {
        leave();
      }
    },
  };
}
