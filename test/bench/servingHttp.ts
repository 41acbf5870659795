/** The API before the model host: what of its throughput is left to clients over HTTP, and what a single call waits longer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../api/app.ts";
import { listen } from "../../api/listen.ts";
import { createServices } from "../../api/services/services.ts";
import { parseConfig } from "../../shared/config.ts";
import { openEncoder } from "../../shared/engine/models/adaptedBase.ts";
import type { Precision } from "../../shared/engine/quantization/precision.ts";
import { startDevice } from "../../shared/engine/runtime/device.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { usualLimits } from "../../shared/serving/limits.ts";
import { createSealer } from "../../shared/webhooks/sealer.ts";
import { createSender } from "../../shared/webhooks/sender.ts";
import { decisionRequest, type Served, startClients } from "./servingClients.ts";
import { type ProcessorTime, processorTime } from "./servingMemory.ts";
import type { Tuned } from "./servingModels.ts";
import { askAll, type Stage } from "./servingStage.ts";
import type { Bench } from "./suite.ts";
import { interleaved, median, timed } from "./timing.ts";
import { threads } from "./trainingStepper.ts";

const rounds = 5;
const texts = 1024;
/** Requests before the clock starts: a server's first thousands take twice the processor time, until they are compiled. */
const warmUp = 4 * texts;
const clients = 64;
/** Of calls one after another, a round. */
const singles = 64;

/** Over HTTP, as the host has its bases; and with a model that takes twice as long, of which less is lost. */
export async function http(stage: Stage, bench: Bench): Promise<void> {
  await overHttp(stage, "int8", async (front) => {
    await together(stage, bench, front);
    await alone(stage, bench, front);
  });
  await overHttp(stage, "float32", (front) => together(stage, bench, front));
}

interface Front {
  readonly precision: Precision;
  readonly host: ModelHost;
  readonly model: Tuned;
  readonly send: (requests: number, clients: number) => Promise<Served>;
}

async function overHttp(stage: Stage, precision: Precision, ask: (front: Front) => Promise<void>): Promise<void> {
  const [model] = await stage.models(1);
  const host = stage.host({ precisionOf: () => precision });
  const { stores, queue } = stage.cloud;
  const config = parseConfig(stage.cloud.environment);
  const webhooks = {
    sealer: createSealer(config.secretKeys),
    sender: createSender({ timeoutMilliseconds: 1000, local: true }),
    local: true,
  };
  const services = createServices({ ...config, stores, queue, host, webhooks, observe: () => {} });
  const server = await listen(createApp(services), { host: "127.0.0.1", port: 0 });
  const requests = stage.set.test
    .slice(0, texts)
    .map(({ text }) => decisionRequest(model!.tenant.key, model!.record.id, text, stage.set.labels));
  const sender = startClients({ origin: server.url, requests });
  try {
    const send = (requests: number, clients: number) => sender.run({ clients, requests });
    await ask({ precision, host, model: model!, send });
  } finally {
    sender.stop();
    await server.close(200);
    await host.close();
  }
}

async function together({ set }: Stage, { emit, tell }: Bench, { precision, host, model, send }: Front): Promise<void> {
  tell(`serving: ${rounds} rounds of ${texts} texts by ${clients} clients in ${precision}, of the host and over HTTP`);
  for (let sent = 0; sent < warmUp; sent += texts) await send(texts, clients);
  const questions = set.test.slice(0, texts).map(({ text }) => ({ text, model }));
  const served: Served[] = [];
  const taken = { host: [] as ProcessorTime[], http: [] as ProcessorTime[] };
  const times = await interleaved(rounds, {
    host: async () => (await counted(taken.host, () => askAll(host, questions, clients))).milliseconds,
    http: async () => {
      served.push(await counted(taken.http, () => send(texts, clients)));
      return served.at(-1)!.milliseconds;
    },
  });
  const rate = (name: "host" | "http") => (1000 * texts) / median(times[name]);
  const beside = { baseline: rate("host"), baseline_source: "the host's own; asked for: 0.8" };
  const named = (what: string) => `${precision}/clients=${clients}/${what}`;
  emit({ case: named("throughput"), value: rate("http"), unit: "per second", ...beside });
  emit({ case: named("processor-of-api"), ...processor(taken, served) });
  const latencies = served.slice(1).map((one) => one.latencies.toSorted((a, b) => a - b));
  const at = (share: number) => median(latencies.map((sorted) => sorted[Math.floor(share * sorted.length)]!));
  const bar = { baseline: 3 * at(0.5), baseline_source: `three times p50 (${at(0.5).toFixed(1)}), the most asked for` };
  emit({ case: named("p99"), value: at(0.99), unit: "milliseconds", ...bar });
}

async function counted<Result>(into: ProcessorTime[], work: () => Promise<Result>): Promise<Result> {
  const before = processorTime();
  const result = await work();
  const { here, devices } = processorTime();
  into.push({ here: here - before.here, devices: devices - before.devices });
  return result;
}

/** Beside what the model itself takes, all on the same cores: that much of the host's throughput cannot but be lost. */
function processor(taken: Record<"host" | "http", readonly ProcessorTime[]>, served: readonly Served[]) {
  const each = (values: readonly number[]) => median(values.slice(1)) / texts;
  const here = (name: "host" | "http") => each(taken[name].map(({ here }) => here));
  const devices = each(taken.http.map(({ devices }) => devices));
  const ofClients = each(served.map(({ processor }) => processor)).toFixed(2);
  const source = `of the model; ${here("host").toFixed(2)} of the host around it, ${ofClients} of the clients`;
  const beside = { baseline: Number.isNaN(devices) ? null : devices, baseline_source: source };
  return { value: here("http") - here("host"), unit: "milliseconds" as const, ...beside };
}

/** A call over HTTP beside the same text given to a device process as token ids. */
async function alone(stage: Stage, { emit }: Bench, { precision, model, send }: Front): Promise<void> {
  const device = startDevice({ threads });
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const path = join(folder, "model.safetensors");
  const { object_key, digest } = model.record;
  await stage.cloud.stores.objects.download(object_key, path, digest);
  const { directory } = stage.tuning.base;
  const { encode, adapter } = await openEncoder(directory);
  const { adapterBytes } = usualLimits;
  const file = { key: "bench", path, digest, adapter };
  const ids = stage.set.test.slice(0, singles).map(({ text }) => encode(text));
  const found = { http: [] as number[], device: [] as number[] };
  await interleaved(rounds, {
    http: async () => {
      const { latencies } = await send(singles, 1);
      found.http.push(...latencies);
      return 0;
    },
    device: async () => {
      for (const one of ids) {
        const rows = [{ ids: one, model: file, wants: "logits" }] as const;
        const base = { directory, digest: stage.base.digest };
        const reading = { base, precision, adapter, adapterBytes, parts: threads } as const;
        found.device.push(await timed(() => device.call("read", { ...reading, rows })));
      }
      return 0;
    },
  });
  device.kill();
  rmSync(folder, { recursive: true });
  const [whole, inner] = [median(found.http.slice(singles)), median(found.device.slice(singles))];
  const source = `bar; p50 ${whole.toFixed(1)} over HTTP, ${inner.toFixed(1)} of the device process`;
  emit({
    case: `${precision}/clients=1/overhead`,
    value: whole - inner,
    unit: "milliseconds",
    baseline: 3,
    baseline_source: source,
  });
}
