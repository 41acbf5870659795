/** Pre-training on this device. */
import { pretrain } from "../../pretraining/pretrain.ts";
import type { Implementations } from "../deviceProtocol.ts";

export const pretraining: Implementations<"pretrain"> = {
  async pretrain(request, { signal, tell }) {
    for await (const event of pretrain(request, signal)) {
      tell(event);
      // As in training: without a turn of the event loop a cancellation would never be heard.
      await new Promise(setImmediate);
    }
  },
};
