/** Minutes of mixed load while a tenth of all calls to the cloud goes wrong and processes are killed; then what was promised is checked. */
import { cp, mkdir, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { importBase } from "../../infra/models/importBase.ts";
import { philox } from "../../shared/engine/random.ts";
import { newId } from "../../shared/ids.ts";
import { createTenant, type Tenant } from "../support/deployment.ts";
import { itemSchema, rightLabel } from "../support/evals.ts";
import type { FaultCounts } from "../support/faults/proxy.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { writeTinyBase } from "../support/tinyBase.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import type { Violation } from "./reliabilityChecks.ts";
import { clientOf, type Line } from "./reliabilityClient.ts";
import { checkProject, checkWorld, hasEnded, unended } from "./reliabilityFacts.ts";
import { Ledger, type Player } from "./reliabilityLedger.ts";
import { play } from "./reliabilityLoad.ts";
import type { Session } from "./reliabilitySession.ts";
import { createModel } from "./reliabilityWork.ts";
import { openWorld, type ProcessKind, type World } from "./reliabilityWorld.ts";

export interface FaultyRun {
  minutes: number;
  seed: number;
  /** Of calls to the cloud that go wrong, from 0 to 1. */
  share?: number;
  tell(line: string): void;
}

export interface FaultyResult {
  requests: number;
  /** Calls of the product to the cloud. */
  calls: number;
  /** By service and kind. */
  faults: Record<string, number>;
  kills: Record<ProcessKind, number>;
  /** What was acknowledged, by noun, and answers. */
  acknowledged: Record<string, number>;
  /** By noun and state at the end. */
  ended: Record<string, number>;
  unacknowledged: Record<string, number>;
  serverErrors: number;
  violations: Violation[];
}

const markers = ["zebra", "walrus", "ocelot", "heron"];
/** Of one client, in milliseconds; four of them share two cores with all that they ask of. */
const think = 400;
const killsApart = { least: 4000, more: 8000 };
const settleSeconds = 300;

export async function faultyRun({ minutes, seed, share = 0.1, tell }: FaultyRun): Promise<FaultyResult> {
  const world = await openWorld(seed);
  const receiver = await startReceiver();
  try {
    const sessions = await openSessions(world, receiver, seed);
    tell(
      `seed ${seed}: ${minutes} minutes of ${sessions.length} projects, ${100 * share} % of calls to the cloud go wrong`,
    );
    world.faults.befall(share);
    const end = Date.now() + minutes * 60_000;
    const isOver = () => Date.now() > end;
    const [kills] = await Promise.all([
      killNowAndThen(world, { seed, isOver, tell }),
      ...sessions.map((session) => play(session, { isOver, think })),
    ]);
    world.faults.befall(0);
    return await settle({ world, receiver, sessions, kills, tell });
  } finally {
    await receiver.close();
    await world.close();
  }
}

/** Numbers from 0 to less than 1, the same for the seed and stream each time. */
function randomOf(seed: number, stream: number): () => number {
  let drawn = 0;
  return () => philox([drawn++, 0, 0, 0], [seed, stream])[0] / 2 ** 32;
}

async function killNowAndThen(
  world: World,
  { seed, isOver, tell }: { seed: number; isOver(): boolean; tell(line: string): void },
): Promise<Record<ProcessKind, number>> {
  const random = randomOf(seed, 1);
  const kills = { api: 0, worker: 0 };
  for (let told = 0; !isOver(); told++) {
    await pause(killsApart.least + random() * killsApart.more);
    if (isOver()) break;
    kills[await world.kill(Math.floor(random() * 4))]++;
    if (told % 10 === 9) tell(`killed so far: ${JSON.stringify(kills)}`);
  }
  return kills;
}

async function openSessions(world: World, receiver: Receiver, seed: number): Promise<Session[]> {
  const { stores, home } = world.cloud;
  await addBase(world, join(home, "tiny"));
  // Its name, which is part of its models', is not its first project's alone.
  const first = await createTenant(stores, "shared");
  const others = await Promise.all(markers.slice(2).map((marker) => createTenant(stores, marker)));
  const tenants: Tenant[] = [first, await createNeighbour(world, first, markers[1]!), ...others];
  const players: Player[] = tenants.map(({ project }, i) => {
    return { marker: markers[i]!, project: project.id, organization: project.organization_id };
  });
  const ledger = new Ledger(players);
  const random = randomOf(seed, 2);
  const line: Line = { ledger, origin: () => world.origin(Math.floor(random() * 2)) };
  const sessions = players.map((player, i): Session => {
    const { key, adminKey } = tenants[i]!;
    const admin: Session["admin"] = async (path, query) => {
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      );
      const headers = { authorization: `Bearer ${adminKey}` };
      return (await (await fetch(`${world.origin(0)}${path}?${search}`, { headers })).json()) as never;
    };
    const own = { client: clientOf(player, key, line), admin, random: randomOf(seed, 3 + i), isRecorded: i !== 3 };
    return { ...player, ...own, ledger, models: [], judged: [], eval: "", made: 0 };
  });
  await Promise.all(sessions.map((session) => prepare(session, world, receiver)));
  return sessions;
}

/** Another project of the same organization. */
async function createNeighbour({ cloud }: World, { project, adminKey }: Tenant, name: string): Promise<Tenant> {
  const { newApiKey } = await import("../../shared/stores/apiKeys.ts");
  const neighbour = { ...project, id: newId("project"), name };
  await cloud.stores.projects.create(neighbour);
  const { record, secret } = newApiKey({ name: "test", project_id: neighbour.id });
  await cloud.stores.apiKeys.create(record);
  return { project: neighbour, key: secret, adminKey };
}

async function addBase({ cloud }: World, directory: string): Promise<void> {
  await mkdir(directory);
  await writeTinyBase(
    directory,
    rowsOf(5).map(({ text }) => text),
  );
  const files = await readdir(directory);
  await importBase(cloud.stores, { id: "tiny", directory, files, replace: false });
}

/** Before anything goes wrong: what the load is given, a model among it. */
async function prepare(session: Session, world: World, receiver: Receiver): Promise<void> {
  const { client, marker, project, isRecorded } = session;
  if (isRecorded) await world.cloud.stores.projects.update(project, { inference_records: "full" });
  const types = ["fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled"];
  const event_types = [...types, "batch.completed", "batch.failed", "eval.run.succeeded", "eval.run.failed"];
  const versions = ["millrace.dataset_version.ready", "millrace.dataset_version.failed"];
  const body = { name: marker, url: `${receiver.url}/${marker}`, event_types: [...event_types, ...versions] };
  await client.post("/webhook_endpoints", { body });
  const metric = { name: "solved", type: "boolean", level: "inference", optimize: "max" };
  await client.post("/metrics", { body: metric });
  const { id } = await client.evals.create({
    data_source_config: { type: "custom", item_schema: itemSchema, include_sample_schema: true },
    testing_criteria: [rightLabel],
  });
  session.eval = id;
  await createModel(session);
  const [model] = session.models;
  const reason = `${marker} begins`;
  await client.post("/aliases", { body: { name: "prod", model, reason } });
  session.ledger.add("alias_move", session, reason, { to: model, acknowledged: true });
}

interface Settling {
  world: World;
  receiver: Receiver;
  sessions: readonly Session[];
  kills: Record<ProcessKind, number>;
  tell(line: string): void;
}

async function settle({ world, receiver, sessions, kills, tell }: Settling): Promise<FaultyResult> {
  const { ledger } = sessions[0]!;
  tell("faults are off; waiting until all has ended");
  const isQuiet = async () => (await unended(sessions)).length === 0;
  await until(isQuiet, { what: "all to end", seconds: settleSeconds }).catch(() => {});
  const left = ledger.entries.filter((entry) => !hasEnded(entry));
  const violations: Violation[] = left.map(({ id, content }) => {
    return { kind: "unended", what: `${id} is ${content.status} after ${settleSeconds} s` };
  });
  const check = async () => {
    const found = await Promise.all(sessions.map((session) => checkProject(session, world, receiver.received)));
    return found.flat();
  };
  // Webhooks follow what they tell of.
  const found = await until(
    async () => {
      const all = await check();
      return !all.some(({ what }) => what.startsWith("no webhook")) && all;
    },
    { what: "webhooks", seconds: 60 },
  ).catch(check);
  violations.push(...found, ...(await checkWorld(ledger, world)));
  if (violations.length) tell(`what the processes logged is in ${await keepLogs(world)}`);
  return { ...figures(ledger, await world.faults.counts()), kills, violations };
}

async function keepLogs({ logs }: World): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-reliability-"));
  await Promise.all(Object.entries(logs).map(([kind, path]) => cp(path, join(directory, `${kind}.log`))));
  return directory;
}

function figures(ledger: Ledger, counts: Record<string, FaultCounts>) {
  const tally = (names: string[]) => {
    const sums: Record<string, number> = {};
    for (const name of names.sort()) sums[name] = (sums[name] ?? 0) + 1;
    return sums;
  };
  const faults = Object.entries(counts).flatMap(([service, { faults }]) =>
    Object.entries(faults).map(([kind, count]) => [`${service} ${kind}`, count] as const),
  );
  return {
    requests: ledger.attempts.length,
    calls: Object.values(counts).reduce((sum, { calls }) => sum + calls, 0),
    faults: Object.fromEntries(faults),
    acknowledged: { ...tally(ledger.entries.map(({ noun }) => noun)), answer: ledger.inferences.size },
    ended: tally(ledger.entries.flatMap(({ noun, content }) => (content.status ? [`${noun} ${content.status}`] : []))),
    unacknowledged: Object.fromEntries(ledger.unacknowledged),
    serverErrors: ledger.attempts.filter(({ status }) => status !== null && status >= 500).length,
  };
}
