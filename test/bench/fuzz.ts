/** What nobody would send, sent: `npm run bench -- fuzz [--part files|requests] [--seeds n]`. */
import { fuzzFiles } from "./fuzzFiles.ts";
import { RequestFuzz } from "./fuzzRequests.ts";
import type { Bench, Suite } from "./suite.ts";

const count = { files: 100_000, requests: 50_000, sessions: 400 };
const none = { baseline: 0, baseline_source: "0 is what is promised" } as const;
const plain = { baseline: null, baseline_source: "" } as const;

async function files({ emit, tell, seeds = 1 }: Bench): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++) {
    const found = await fuzzFiles({ files: count.files, seed, sessions: count.sessions, tell });
    for (const fault of found.faults) tell(fault);
    const say = (name: string, value: number) => emit({ case: `files/${name}`, value, unit: "count", ...plain });
    say("files", found.files);
    say("read", found.read);
    say("refused", found.refused);
    say("sessions tried", found.sessions.tried);
    say("sessions refused", found.sessions.refused);
    say("device processes that died", found.sessions.died);
    emit({ case: "files/slowest", value: found.slowestMilliseconds, unit: "milliseconds", ...plain });
    emit({ case: "files/neither read nor refused", value: found.faults.length, unit: "count", ...none });
  }
}

async function requests({ emit, tell, seeds = 1 }: Bench): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++) {
    const fuzz = await RequestFuzz.open();
    await fuzz.run(count.requests, seed, tell);
    const { tally, failures } = fuzz;
    await fuzz.close();
    for (const fault of [...tally.faults, ...failures]) tell(fault);
    const say = (name: string, value: number) => emit({ case: `requests/${name}`, value, unit: "count", ...plain });
    say("requests", tally.requests);
    say("operations", tally.operations.size);
    say("operations that served one", tally.served.size);
    say("another project's ids compared with none", tally.twins);
    for (const [group, times] of Object.entries(tally.statuses).sort()) say(group, times);
    emit({ case: "requests/answers that break the contract", value: tally.faults.length, unit: "count", ...none });
    emit({ case: "requests/500", value: failures.length, unit: "count", ...none });
  }
}

const parts: Record<string, (bench: Bench) => Promise<void>> = { files, requests };

export const fuzz: Suite = async (bench) => {
  const { part } = bench;
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`fuzz has no part "${part}"; it has ${Object.keys(parts).join(", ")}.`);
  }
  for (const name of part === undefined ? Object.keys(parts) : [part]) await parts[name]!(bench);
  return "done";
};
