/** Texts written by imported bases: words become tokens here, the device writes, and its tokens become words again. */
import { readCausalText } from "../engine/generation/causalText.ts";
import type { GeneratedToken, GeneratedTokens, TokenProbability } from "../engine/generation/generator.ts";
import type { JsonFormat } from "../engine/generation/json/constraint.ts";
import { canWriteJson } from "../engine/generation/json/masks.ts";
import type { SamplingSettings } from "../engine/generation/settings.ts";
import { type GeneratedText, textOf } from "../engine/generation/text.ts";
import { readVocabulary, type Vocabulary } from "../engine/generation/tokenBytes.ts";
import { keptPromise } from "../engine/keptPromise.ts";
import type { GenerateArgument } from "../engine/runtime/deviceProtocol.ts";
import { CheckpointError } from "../engine/weights/checkpointConfig.ts";
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import { chatPrompts, type Prompt } from "./chatPrompt.ts";
import type { HostContext } from "./hostContext.ts";
import { type ServingLimits, usualLimits } from "./limits.ts";
import { createRoom } from "./room.ts";
import { longestToken, type PromptReader, type PromptRequest, readPrompt } from "./textPrompt.ts";

export interface TextRequest extends PromptRequest, Omit<SamplingSettings, "topK" | "endTokens" | "allowed"> {
  /** Default and at most: what the model's positions leave. */
  readonly maxTokens?: number | undefined;
  /** Sequences that end the text, and are no part of it. */
  readonly stop?: readonly string[] | undefined;
  readonly json?: JsonFormat | undefined;
  /** What the caller calls its fields, for errors. */
  readonly names: { readonly prompt: string; readonly json: string };
}

export interface SpelledToken {
  /** Its bytes as text; U+FFFD where they are none by themselves. */
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Natural logarithm, by the model's own distribution. */
  readonly logProbability: number;
}

export interface WrittenToken extends SpelledToken {
  /** The likeliest first. */
  readonly top: readonly SpelledToken[];
}

export interface WrittenPiece extends Omit<GeneratedText, "tokens"> {
  readonly tokens: readonly WrittenToken[];
}

export interface WrittenText {
  /** As the model reads it. */
  readonly promptTokens: number;
  /** May be read once. Giving up the iteration ends the writing. */
  readonly pieces: AsyncIterable<WrittenPiece>;
}

export interface Generation {
  /** Throws ApiError naming the field of a request that cannot be met, and `queue_full` when too many texts are written. */
  generate(model: BaseRecord, request: TextRequest, signal?: AbortSignal): Promise<WrittenText>;
}

/** A base that writes, as far as this process needs it. */
interface Writer extends PromptReader {
  readonly directory: string;
  readonly vocabulary: Vocabulary;
  /** Why JSON cannot be promised. */
  readonly jsonRefusal: string | undefined;
}

export interface GenerationOptions extends Partial<Pick<ServingLimits, "precisionOf">> {
  /** Texts that may be in writing at once; more are refused. Default 256. */
  readonly mostTexts?: number;
}

export function createGeneration(
  context: HostContext,
  { mostTexts = 256, precisionOf = usualLimits.precisionOf }: GenerationOptions = {},
): Generation {
  const writers = new Map<string, Promise<Writer>>();
  const room = createRoom(mostTexts);

  const open = (base: BaseRecord) => keptPromise(writers, base.digest, () => readWriter(context, base));

  return {
    async generate(model, request, signal = new AbortController().signal) {
      const writer = await open(model).catch((cause) => {
        throw cause instanceof TypeError
          ? noWriter(model.id, "does not write texts: name a model that predicts next tokens")
          : cause;
      });
      const prompt = readPrompt(writer, request);
      const argument = { ...argumentOf(model, writer, prompt, request), precision: precisionOf(model) };
      room.require();
      const written = devicePieces(context, argument, signal);
      const options = {
        tokenizer: writer.text.tokenizer,
        prompt: prompt.tokens,
        stop: [...prompt.stop, ...(request.stop ?? [])],
      };
      async function* pieces(): AsyncGenerator<WrittenPiece> {
        const leave = room.enter();
        let trims = prompt.trims ?? false;
        try {
          for await (const piece of textOf(written, options)) {
            const text = trims ? piece.text.trimStart() : piece.text;
            trims &&= text === "";
            yield { ...piece, text, tokens: piece.tokens.map((token) => spelled(writer, token)) };
          }
        } finally {
          leave();
        }
      }
      return { promptTokens: prompt.tokens.length, pieces: pieces() };
    },
  };
}

const noWriter = (id: string, why: string) => new ApiError("invalid_value", `'${id}' ${why}.`, { param: "model" });

async function readWriter(context: HostContext, base: BaseRecord): Promise<Writer> {
  const { path: directory } = await context.bases.open(base);
  const text = await readCausalText(directory);
  const vocabulary = await readVocabulary(directory, text.vocabulary);
  try {
    const reader = { text, chat: chatPrompts(text), longestToken: longestToken(vocabulary) };
    return { directory, vocabulary, jsonRefusal: whyNoJson(vocabulary), ...reader };
  } catch (cause) {
    throw new CheckpointError(`the chat template of ${base.id} cannot be read`, { cause });
  }
}

function argumentOf(
  base: BaseRecord,
  writer: Writer,
  { tokens }: Prompt,
  request: TextRequest,
): Omit<GenerateArgument, "precision"> {
  const { text, directory } = writer;
  const { logitBias, json = null, names } = request;
  const stray = [...(logitBias?.keys() ?? [])].find((id) => id >= text.vocabulary);
  if (stray !== undefined) {
    throw new ApiError(
      "invalid_value",
      `'logit_bias' names ${stray}, which is no token of the model's ${text.vocabulary}.`,
      { param: "logit_bias" },
    );
  }
  if (json) requireJson(writer, names.json);
  return {
    base: { directory, digest: base.digest },
    prompt: tokens,
    maxTokens: Math.min(request.maxTokens ?? Number.POSITIVE_INFINITY, text.context - tokens.length),
    json,
    settings: {
      temperature: request.temperature,
      topP: request.topP,
      seed: request.seed,
      presencePenalty: request.presencePenalty,
      frequencyPenalty: request.frequencyPenalty,
      topLogProbabilities: Math.min(request.topLogProbabilities ?? 0, text.vocabulary),
      logitBias,
      endTokens: text.endTokens,
    },
  };
}

/** Refused before it is begun, where the device could not but fail. */
function requireJson({ jsonRefusal }: Writer, param: string): void {
  if (!jsonRefusal) return;
  throw new ApiError("invalid_value", `This model cannot be held to JSON: ${jsonRefusal}.`, { param });
}

function whyNoJson({ bytes, isExact }: Vocabulary): string | undefined {
  if (!isExact) return "its tokenizer sets spaces between words by itself";
  return canWriteJson(bytes) ? undefined : "its tokenizer has not every character of JSON as a token";
}

/** A device that died before it wrote anything took nothing with it: the same is asked of a new one, once. */
async function* devicePieces(
  context: HostContext,
  argument: GenerateArgument,
  signal: AbortSignal,
): AsyncGenerator<GeneratedTokens> {
  for (let isFirst = true; ; isFirst = false) {
    signal.throwIfAborted();
    const device = context.device();
    let written = false;
    try {
      for await (const piece of device.stream("generate", argument, signal)) {
        written = true;
        yield piece;
      }
      signal.throwIfAborted();
      return;
    } catch (cause) {
      signal.throwIfAborted();
      if (written || device.alive || !isFirst)
        throw new ApiError("overloaded", "The model could not be run to the end.", { cause });
    }
  }
}

function spelled({ vocabulary }: Writer, token: GeneratedToken): WrittenToken {
  const spell = ({ id, logProbability }: TokenProbability): SpelledToken => {
    const bytes = vocabulary.bytes[id] ?? new Uint8Array();
    return { text: Buffer.from(bytes).toString(), bytes, logProbability };
  };
  return { ...spell(token), top: token.top.map(spell) };
}
