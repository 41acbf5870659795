/** What models answer: right where right can be told, and the same in every form that the SDK has for it. */
import assert from "node:assert/strict";
import { type Checks, Skipped } from "../examine.ts";
import type { Patient } from "../patient.ts";
import { labels, questions } from "../rows.ts";

interface Decided {
  answers: { choice: string; confidence: number }[];
}

const choices = labels.map((value) => ({ value }));
const asked = [{ type: "choice", instructions: "What is it about?", choices }];

export function modelOf({ made }: Pick<Patient, "made">): string {
  if (!made.model) throw new Skipped("there is no model to ask");
  return made.model;
}

export const decide = ({ client }: Pick<Patient, "client">, model: string, input: string) =>
  client.post<Decided>("/decisions", { body: { model, input, questions: asked } });

export const answers: Checks = {
  async "decisions are right"(patient) {
    const model = modelOf(patient);
    for (const { text, label } of questions) {
      const [answer] = (await decide(patient, model, text)).answers;
      assert.equal(answer?.choice, label, `"${text}" is ${answer?.choice}, not ${label}`);
    }
    return `${questions.length} of ${questions.length}`;
  },

  async "chat answers and streams the same"(patient) {
    const { client } = patient;
    const model = modelOf(patient);
    const { text, label } = questions[0]!;
    const request = { model, messages: [{ role: "user" as const, content: text }] };
    const whole = (await client.chat.completions.create(request)).choices[0]?.message.content;
    assert.equal(whole, label, `it says ${whole}, not ${label}`);
    const events = await Array.fromAsync(await client.chat.completions.create({ ...request, stream: true }));
    const streamed = events.map(({ choices: [choice] }) => choice?.delta.content ?? "").join("");
    assert.equal(streamed, whole, `it streams ${streamed}, not ${whole}`);
    return `${events.length} events`;
  },

  async "vectors of the same text are the same"({ client }) {
    const bases = ["millrace-embed-en", "millrace-embed-zh"];
    const ids = (await Array.fromAsync(client.models.list())).map(({ id }) => id);
    const model = bases.find((id) => ids.includes(id));
    if (!model) throw new Skipped(`there is none of ${bases.join(" and ")}`);
    const input = ["a lost parcel", "a lost parcel", "prime numbers"];
    const { data } = await client.embeddings.create({ model, input });
    const [one, same, other] = data.map(({ embedding }) => embedding) as [number[], number[], number[]];
    const cosine = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    assert.ok(cosine(one, same) > 0.9999, `cosine of the same text ${cosine(one, same)}`);
    assert.ok(cosine(one, other) < 0.9, `cosine of another text ${cosine(one, other)}`);
    return `${one.length} numbers, ${model}`;
  },
};
