/** Completions: how a model goes on with a text. */
import { sameId } from "../ids.ts";
import { type Completion, CreateCompletion } from "../schemas/completion.ts";
import type { TextRequest } from "../serving/generation.ts";
import { type CompletionHeading, completion, completionChunks } from "./completionsRendering.ts";
import type { Endpoint, InferenceCall } from "./endpoint.ts";
import { type Choices, collectChoices, unwritten, writeChoices } from "./textChoices.ts";
import { refuse, requireStream, samplingOf } from "./textRequest.ts";

type Call = InferenceCall<CreateCompletion>;

export const completions: Endpoint<CreateCompletion, Completion> = {
  path: "/v1/completions",
  schema: CreateCompletion,
  async answer(call) {
    const choices = await begin(call);
    const body = completion(headingOf(call), choices, await collectChoices(choices));
    return { body, model: choices.model.id, digest: choices.model.digest };
  },
  async stream(call) {
    const choices = await begin(call);
    const heading = headingOf(call);
    const written = unwritten(choices.count);
    const events = completionChunks(heading, choices, written);
    const whole = () => completion(heading, choices, written);
    return { model: choices.model.id, digest: choices.model.digest, events, whole };
  },
};

const usualTokens = 16;

async function begin(call: Call): Promise<Choices> {
  const { request } = call;
  const { n, best_of, echo, logprobs } = request;
  requireStream(request);
  if ((best_of ?? 1) > (n ?? 1)) throw refuse("best_of", "is more than 'n': everything that is written is answered");
  if (echo && logprobs != null) throw refuse("echo", "does not go with 'logprobs', as a prompt's are not computed");
  const prompts = promptsOf(request.prompt);
  if (echo && prompts.some((prompt) => !("text" in prompt))) throw refuse("echo", "goes with prompts that are texts");
  const requests = prompts.map((prompt): TextRequest => {
    return {
      ...samplingOf(request),
      prompt,
      maxTokens: request.max_tokens ?? usualTokens,
      topLogProbabilities: logprobs ?? 0,
      names: { prompt: "prompt", json: "prompt" },
    };
  });
  return writeChoices(call, { model: request.model, prompts: requests, n: n ?? 1 });
}

function headingOf({ id, request }: Call): CompletionHeading {
  const { n, echo, logprobs, stream_options } = request;
  const prompts = promptsOf(request.prompt);
  const echoed = (choice: number): string => {
    const prompt = prompts[Math.floor(choice / (n ?? 1))]!;
    return echo && "text" in prompt ? prompt.text : "";
  };
  return {
    id: sameId("completion", id),
    created: Math.floor(Date.now() / 1000),
    withLogprobs: logprobs != null,
    withUsage: stream_options?.include_usage ?? false,
    echoed,
  };
}

/** A list of numbers is one prompt. */
function promptsOf(prompt: CreateCompletion["prompt"]): TextRequest["prompt"][] {
  const all =
    typeof prompt === "string" || typeof prompt[0] === "number"
      ? [prompt as string | number[]]
      : (prompt as (string | number[])[]);
  return all.map((one) => (typeof one === "string" ? { text: one } : { tokens: one }));
}
