/** What an object of an export is, told from its fields alone: names of files say nothing. */

/** `noted` is known and becomes nothing: events, checkpoints, batches, models, items of eval runs. */
export type Kind =
  | "training_row"
  | "prompt_row"
  | "preference_row"
  | "job"
  | "file"
  | "eval"
  | "eval_run"
  | "completion"
  | "message"
  | "batch_request"
  | "batch_answer"
  | "noted";

type Value = Record<string, unknown>;

const isOf = (...objects: string[]) => {
  return ({ object }: Value) => typeof object === "string" && objects.includes(object);
};
const messageId = /^(chatcmpl-.+)-(\d+)$/;

/** The first that fits is it. */
const recognisers: readonly [Kind, (value: Value) => boolean][] = [
  ["job", isOf("fine_tuning.job")],
  ["file", isOf("file")],
  ["eval", isOf("eval")],
  ["eval_run", isOf("eval.run")],
  ["completion", isOf("chat.completion")],
  ["noted", isOf("fine_tuning.job.event", "fine_tuning.job.checkpoint", "batch", "model", "eval.run.output_item")],
  ["batch_request", ({ custom_id, body }) => typeof custom_id === "string" && typeof body === "object"],
  ["batch_answer", ({ custom_id, response }) => typeof custom_id === "string" && response !== undefined],
  ["message", ({ id, role }) => typeof id === "string" && messageId.test(id) && typeof role === "string"],
  ["preference_row", (value) => "preferred_output" in value || "preferred_completion" in value],
  ["training_row", ({ messages }) => Array.isArray(messages)],
  ["prompt_row", ({ prompt, completion }) => typeof prompt === "string" && typeof completion === "string"],
];

/** Undefined where it is nothing that OpenAI exports. */
export function kindOf(value: Value): Kind | undefined {
  return recognisers.find(([, fits]) => fits(value))?.[0];
}

/** Of an item of `chat.completions.messages.list`. */
export function placeOfMessage(id: string): { completion: string; place: number } {
  const [, completion = "", place] = messageId.exec(id) ?? [];
  return { completion, place: Number(place) };
}
