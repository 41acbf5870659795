/** Training on this device. */
import { train } from "../../training/train.ts";
import type { Implementations } from "../deviceProtocol.ts";

export const training: Implementations<"train"> = {
  async train(request, { signal, tell }) {
    for await (const event of train(request, signal)) {
      tell(event);
      // Steps may follow each other without a turn of the event loop, and then a cancellation would never be heard.
      await new Promise(setImmediate);
    }
  },
};
