/** Another project asks for all that this one has made, and is told that there is no such thing. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { type Checks, Skipped } from "../examine.ts";
import type { Made } from "../patient.ts";
import { decide } from "./answers.ts";

/** Every one is to be refused as a thing that is not there. */
function probes(other: OpenAI, { file, job, model }: Required<Pick<Made, "file" | "job" | "model">>) {
  const messages = [{ role: "user" as const, content: "hello" }];
  return {
    "read a file": () => other.files.retrieve(file),
    "read a file's content": () => other.files.content(file),
    "train on a file": () => other.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file }),
    "read a job": () => other.fineTuning.jobs.retrieve(job),
    "read a job's events": () => other.fineTuning.jobs.listEvents(job),
    "read a job's checkpoints": () => other.fineTuning.jobs.checkpoints.list(job),
    "cancel a job": () => other.fineTuning.jobs.cancel(job),
    "read a model": () => other.models.retrieve(model),
    "ask a model": () => decide({ client: other }, model, "hello"),
    "chat with a model": () => other.chat.completions.create({ model, messages }),
    "delete a model": () => other.models.delete(model),
    "delete a file": () => other.files.delete(file),
  };
}

export const isolation: Checks = {
  async "another project finds nothing of this one"(patient) {
    const other = await patient.other();
    if (!other) throw new Skipped("give --admin-key, or --other-key of another project");
    const { file, job, model } = patient.made;
    if (!file || !job || !model) throw new Skipped("nothing was made that could be looked for");
    const asked = Object.entries(probes(other, { file, job, model }));
    for (const [what, probe] of asked) {
      const thrown = await probe().then(
        () => undefined,
        (error: unknown) => error,
      );
      const status = thrown instanceof OpenAI.APIError ? thrown.status : thrown;
      // A file that is named in a body is at fault there.
      const allowed = what === "train on a file" ? [400, 404] : [404];
      assert.ok(allowed.includes(status as number), `another project may ${what}: ${status ?? "it succeeded"}`);
    }
    const [files, jobs] = await Promise.all([other.files.list(), other.fineTuning.jobs.list()]);
    const models = await Array.fromAsync(other.models.list());
    const seen = [...files.data, ...jobs.data, ...models].map(({ id }) => id);
    const leaked = [file, job, model].find((id) => seen.includes(id));
    assert.equal(leaked, undefined, `another project's lists hold ${leaked}`);
    assert.equal((await patient.client.models.retrieve(model)).id, model, "the model is gone");
    return `${asked.length} attempts and 3 lists`;
  },
};
