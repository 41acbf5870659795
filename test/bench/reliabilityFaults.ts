/** Minutes of mixed load while a tenth of all calls to the cloud goes wrong and processes are killed; then what was promised is checked. */
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { FaultCounts } from "../support/faults/proxy.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import type { Violation } from "./reliabilityChecks.ts";
import { checkProject, checkWorld, hasEnded, unended } from "./reliabilityFacts.ts";
import type { Ledger } from "./reliabilityLedger.ts";
import { play } from "./reliabilityLoad.ts";
import type { Session } from "./reliabilitySession.ts";
import { openSessions, randomOf } from "./reliabilityTenants.ts";
import { openWorld, type ProcessKind, type World } from "./reliabilityWorld.ts";

interface Apart {
  least: number;
  /** At most so many beyond the least. */
  more: number;
}

export interface FaultyRun {
  minutes: number;
  seed: number;
  /** Of calls to the cloud that go wrong, from 0 to 1. */
  share?: number;
  /** Default: two of each. */
  processes?: readonly ProcessKind[];
  /** Default: four. */
  projects?: number;
  /** Milliseconds from one kill to the next. */
  killsApart?: Apart;
  /** Ends the load after so many, if that is sooner. */
  mostKills?: number;
  /** Mean milliseconds from one thing that a client does to the next. */
  think?: number;
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

/** Four clients share two cores with all that they ask of. */
const usualThink = 400;
const usuallyApart = { least: 4000, more: 8000 };
const settleSeconds = 300;

export async function faultyRun(run: FaultyRun): Promise<FaultyResult> {
  const { minutes, share = 0.1, think = usualThink, tell } = run;
  const world = await openWorld(run.seed, run.processes);
  const receiver = await startReceiver();
  try {
    const sessions = await openSessions(world, receiver, run);
    tell(
      `seed ${run.seed}: ${minutes} minutes of ${sessions.length} projects, ${100 * share} % of calls to the cloud go wrong`,
    );
    world.faults.befall(share);
    const end = Date.now() + minutes * 60_000;
    const kills = { api: 0, worker: 0 };
    const isOver = () => Date.now() > end || kills.api + kills.worker >= (run.mostKills ?? Number.POSITIVE_INFINITY);
    await Promise.all([
      killNowAndThen(world, { ...run, kills, isOver }),
      ...sessions.map((session) => play(session, { isOver, think })),
    ]);
    world.faults.befall(0);
    return await settle({ world, receiver, sessions, kills, tell });
  } finally {
    await receiver.close();
    await world.close();
  }
}

type Kills = Record<ProcessKind, number>;

async function killNowAndThen(
  world: World,
  { seed, killsApart = usuallyApart, kills, isOver, tell }: FaultyRun & { kills: Kills; isOver(): boolean },
): Promise<void> {
  const random = randomOf(seed, 1);
  for (let told = 0; !isOver(); told++) {
    await pause(killsApart.least + random() * killsApart.more);
    if (isOver()) break;
    kills[await world.kill(Math.floor(random() * 4))]++;
    if (told % 10 === 9) tell(`killed so far: ${JSON.stringify(kills)}`);
  }
}

interface Settling {
  world: World;
  receiver: Receiver;
  sessions: readonly Session[];
  kills: Kills;
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
