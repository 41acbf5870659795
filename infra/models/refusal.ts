/** The error of what an operator asks for in vain. */
import { shortened } from "../../shared/engine/shortened.ts";

/** What an operator asked for cannot be done; the message says why and, where there is one, the way out. */
export class Refusal extends Error {
  override name = "Refusal";

  constructor(message: string, options?: ErrorOptions) {
    super(shortened(message), options);
  }
}
