/** A tiny fine-tune, from the file to a model that is listed; how long the queue and the training took. */
import assert from "node:assert/strict";
import { type Checks, Skipped, until } from "../examine.ts";

const base = "millrace-ngram";

export const training: Checks = {
  async "a job comes through the queue"({ client, made, settings }) {
    if (!made.file) throw new Skipped("there is no file to learn from");
    made.askedAt = Date.now();
    const job = await client.fineTuning.jobs.create({ model: base, training_file: made.file, suffix: "doctor" });
    made.job = job.id;
    const taken = async () => {
      const { status } = await client.fineTuning.jobs.retrieve(job.id);
      return status !== "validating_files" && status !== "queued";
    };
    await until(taken, { what: "a worker to take the job", seconds: settings.patienceSeconds });
    return `taken after ${seconds(made.askedAt)}`;
  },

  async "it ends in a model"({ client, made, settings, later }) {
    const id = made.job;
    if (!id) throw new Skipped("there is no job");
    const over = async () => {
      const job = await client.fineTuning.jobs.retrieve(id);
      return job.finished_at !== null && job;
    };
    const job = await until(over, { what: "the job to end", seconds: settings.patienceSeconds });
    assert.equal(job.status, "succeeded", `it ${job.status}: ${JSON.stringify(job.error)}`);
    const model = job.fine_tuned_model!;
    later("the model", () => client.models.delete(model));
    made.model = model;
    assert.equal((await client.models.retrieve(model)).id, model);
    const events = await Array.fromAsync(client.fineTuning.jobs.listEvents(id));
    assert.ok(events.length >= 2, "the job has no events");
    return `${model} after ${seconds(made.askedAt!)}`;
  },
};

const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
