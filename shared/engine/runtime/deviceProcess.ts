/** The device process: sessions live here, where blocking, leaking or crashing hurts nobody else. */
import { MemoryError } from "../memory/plan.ts";
import { architectures, type Classifier } from "../models/architectures.ts";
import { readArtifact } from "../training/artifact.ts";
import { probabilities } from "../training/evaluation.ts";
import { type BaseDirectory, train } from "../training/train.ts";
import { endWithParent } from "./childProcess.ts";
import type { DeviceChoice } from "./deviceChoice.ts";
import type { DeviceReply, DeviceRequest } from "./deviceProtocol.ts";
import { limitMemory } from "./memoryLimit.ts";
import { useDevice } from "./session.ts";

const threads = Number(process.argv[2]);
useDevice(process.argv[3] as DeviceChoice);
limitMemory(Number(process.argv[4]));
const stop = new AbortController();

/** Whoever no longer listens has ended, and `disconnect` tells of it. */
const send = (reply: DeviceReply) => void process.send?.(reply, () => {});

endWithParent();

type Handlers = { [Type in DeviceRequest["type"]]: (request: DeviceRequest & { type: Type }) => Promise<void> };

interface LoadedModel {
  labels: string[];
  temperature: number;
  classifier: Classifier;
}

const models = new Map<string, Promise<LoadedModel>>();

const handlers: Handlers = {
  async train({ request }) {
    for await (const event of train(request, stop.signal)) {
      send({ type: "training", event });
      // Steps may follow each other without a turn of the event loop, and then a stop would never be heard.
      await new Promise(setImmediate);
    }
    send({ type: "trained" });
  },
  async stop() {
    stop.abort();
  },
  async predict({ call, artifact, base, texts }) {
    const { labels, temperature, classifier } = await loaded(artifact, base);
    const { logits, tokens, known } = await inTurn(() => classifier.classify(texts));
    const predictions = logits.map((row, i) => {
      return { probabilities: probabilities(row, temperature), tokens: tokens[i]!, known: known[i]! };
    });
    send({ type: "predicted", call, labels, predictions });
  },
  async unload({ artifact }) {
    const model = models.get(artifact);
    models.delete(artifact);
    await (await model)?.classifier.release();
  },
};

let last: Promise<unknown> = Promise.resolve();

/** One after another: a session takes all threads anyway, and a classifier may use its memory again for each call. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

function loaded(artifact: string, base: BaseDirectory | null): Promise<LoadedModel> {
  const known = models.get(artifact);
  if (known) return known;
  const model = load(artifact, base);
  models.set(artifact, model);
  model.catch(() => models.delete(artifact));
  return model;
}

async function load(path: string, base: BaseDirectory | null): Promise<LoadedModel> {
  const { config, weights } = readArtifact(path);
  const { architecture, labels, temperature } = config;
  if (config.base?.digest !== base?.digest) throw new Error(`The model belongs to base ${config.base?.digest}`);
  const options = { classes: labels.length, threads, base: base?.directory ?? null, adapter: config.base?.adapter };
  const classifier = await architectures[architecture].createClassifier(weights, options);
  return { labels, temperature, classifier };
}

process.on("message", (request: DeviceRequest) => {
  const handle = handlers[request.type] as (request: DeviceRequest) => Promise<void>;
  handle(request).catch((error: Error) => {
    const call = request.type === "predict" ? { call: request.call } : {};
    const why = error instanceof MemoryError ? { code: "insufficient_memory", message: error.message } : undefined;
    send({ type: "failed", ...call, message: error.stack ?? String(error), ...why });
  });
});
