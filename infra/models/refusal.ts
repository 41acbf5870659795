/** What an operator asked for cannot be done; the message says why and, where there is one, the way out. */
export class Refusal extends Error {
  override name = "Refusal";
}
