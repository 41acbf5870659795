/** Conversations as prompts: by real families' templates, and without one. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { CausalText } from "../../../shared/engine/generation/causalText.ts";
import { type ChatMessage, chatPrompts, TemplateError } from "../../../shared/serving/chatPrompt.ts";

/** A text whose tokens are its characters' codes; whether special tokens were added is told by a first 0. */
const codes = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
const textWith = (chatTemplate: string | undefined, specialTokens = {}): CausalText => ({
  tokenizer: {
    encode: (text) => ({ input_ids: [0, ...codes(text)], token_type_ids: [] }),
    encodeBare: codes,
    decode: (ids) => String.fromCodePoint(...ids),
    idOf: () => undefined,
  },
  vocabulary: 2 ** 20,
  context: 1000,
  endTokens: [],
  chatTemplate,
  specialTokens,
});
const render = (template: string | undefined, messages: ChatMessage[], special = {}) =>
  String.fromCodePoint(...chatPrompts(textWith(template, special))(messages).tokens);

const talk: ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Hello" },
  { role: "user", content: "Bye" },
];

it("is written as ChatML says (Qwen2's template)", () => {
  const template =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  assert.equal(
    render(template, talk),
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
  );
  assert.match(render(template, talk.slice(1, 2)), /^<\|im_start\|>system\nYou are a helpful/);
});

it("is written with the special tokens it asks for (Llama 2's template), and refused in its words", () => {
  const template =
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'].strip() + ' [/INST]' }}{% else %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
  const special = { bos_token: "<s>", eos_token: "</s>" };
  assert.equal(render(template, talk.slice(1), special), "<s>[INST] Hi [/INST] Hello </s><s>[INST] Bye [/INST]");
  assert.throws(
    () => render(template, talk, special),
    (error) => error instanceof TemplateError && /must alternate/.test(error.message),
  );
});

it("is plain text with names where there is no template, with the tokenizer's own special tokens", () => {
  assert.equal(
    render(undefined, talk),
    "\0System: Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: Bye\n\nAssistant:",
  );
  const { stop } = chatPrompts(textWith(undefined))(talk);
  assert.ok(stop.some((sequence) => "\n\nUser:".endsWith(sequence)));
});

it("is refused at once by a template that cannot be read", () => {
  assert.throws(() => chatPrompts(textWith("{% for %}")), TemplateError);
});
