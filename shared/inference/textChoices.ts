/** Several answers written at once, their pieces in the order in which they come. */
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { TextRequest, WrittenPiece, WrittenText, WrittenToken } from "../serving/generation.ts";
import type { InferenceCall } from "./endpoint.ts";
import { isFineTuned, isImported } from "./modelLookUp.ts";

export interface ChoicePiece extends WrittenPiece {
  /** Which of the answers it belongs to: those of the first prompt come first. */
  readonly choice: number;
}

export interface Choices {
  readonly model: BaseRecord | ModelRecord;
  readonly count: number;
  /** Of all prompts, each counted once. */
  readonly promptTokens: number;
  /** May be read once. Giving up the iteration ends all that is written. */
  readonly pieces: AsyncIterable<ChoicePiece>;
}

export interface ChoicesRequest {
  readonly model: string;
  readonly prompts: readonly TextRequest[];
  /** Answers to each prompt. */
  readonly n: number;
}

/** Of one request, all of its prompts together. */
const mostTexts = 128;

/** Throws ApiError before anything is written. */
export async function writeChoices(
  { context, project, signal }: Omit<InferenceCall<unknown>, "request">,
  { model: id, prompts, n }: ChoicesRequest,
): Promise<Choices> {
  const model = await context.models.callable(project, id);
  if (!isFineTuned(model) && !isImported(model)) {
    throw new ApiError("invalid_value", `'${id}' writes no texts: name an imported model that does.`, {
      param: "model",
    });
  }
  if (prompts.length * n > mostTexts) {
    throw new ApiError(
      "invalid_value",
      `${prompts.length * n} answers are too many for one request: at most ${mostTexts}.`,
      { param: "n" },
    );
  }
  const ending = new AbortController();
  const wanted = AbortSignal.any([signal, ending.signal]);
  const requests = prompts.flatMap((prompt) => Array.from({ length: n }, () => prompt));
  const texts = await Promise.all(
    requests.map((request, choice) => context.host.generate(model, seeded(request, choice), wanted)),
  );
  const promptTokens = texts.filter((_, i) => i % n === 0).reduce((sum, text) => sum + text.promptTokens, 0);
  return { model, count: texts.length, promptTokens, pieces: merged(texts, ending) };
}

/** Answers to one prompt differ, and are the same again for the same seed. */
function seeded(request: TextRequest, choice: number): TextRequest {
  const { seed } = request;
  return seed === undefined ? request : { ...request, seed: (seed + choice) % Number.MAX_SAFE_INTEGER };
}

async function* merged(texts: readonly WrittenText[], ending: AbortController): AsyncGenerator<ChoicePiece> {
  const iterators = texts.map(({ pieces }) => pieces[Symbol.asyncIterator]());
  const next = async (choice: number) => ({ choice, result: await iterators[choice]!.next() });
  const waiting = new Map(iterators.map((_, choice) => [choice, next(choice)]));
  try {
    while (waiting.size > 0) {
      const { choice, result } = await Promise.race(waiting.values());
      if (result.done) waiting.delete(choice);
      else {
        yield { choice, ...result.value };
        waiting.set(choice, next(choice));
      }
    }
  } finally {
    // Whoever still writes is told to end, and waited for: nothing is left running, and no failure unheard.
    ending.abort();
    await Promise.allSettled([...waiting.values(), ...iterators.map((iterator) => iterator.return?.())]);
  }
}

export interface WrittenChoice {
  text: string;
  tokens: WrittenToken[];
  finishReason: "stop" | "length";
}

/** Answers of which nothing is written yet. */
export function unwritten(count: number): WrittenChoice[] {
  return Array.from({ length: count }, () => ({ text: "", tokens: [], finishReason: "stop" }));
}

/** All answers, complete. */
export async function collectChoices({ count, pieces }: Choices): Promise<WrittenChoice[]> {
  const choices = unwritten(count);
  for await (const piece of pieces) addPiece(choices, piece);
  return choices;
}

export function addPiece(choices: readonly WrittenChoice[], { choice, text, tokens, finishReason }: ChoicePiece): void {
  const written = choices[choice]!;
  written.text += text;
  written.tokens.push(...tokens);
  if (finishReason) written.finishReason = finishReason;
}
