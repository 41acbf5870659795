/** What must hold when all has settled: facts in, violations out, each by its kind and in words. */
import { isId } from "../../shared/ids.ts";
import type { UsageRecord } from "../../shared/schemas/usage.ts";
import type { Attempt, Ledger } from "./reliabilityLedger.ts";
import { inferenceRequest } from "./reliabilityPaths.ts";

export const violationKinds = ["lost", "twice", "unended", "crossed", "unexplained", "wrong"] as const;
export type ViolationKind = (typeof violationKinds)[number];
export interface Violation {
  kind: ViolationKind;
  what: string;
}

const violations = (kind: ViolationKind, what: Iterable<string>): Violation[] =>
  Array.from(new Set(what), (what) => ({ kind, what }));

/** Of one noun of a project: all that was acknowledged is there, and no more than calls without an answer can have made. */
export function isThereOnce(
  what: string,
  { acknowledged, found, unacknowledged }: { acknowledged: string[]; found: string[]; unacknowledged: number },
): Violation[] {
  const there = new Set(found);
  const known = new Set(acknowledged);
  const extra = found.filter((id) => !known.has(id));
  const missing = acknowledged.filter((id) => !there.has(id)).map((id) => `${what} ${id} was acknowledged and is gone`);
  const many = `${extra.length} of ${what} that nobody was told of, for ${unacknowledged} calls without an answer`;
  return [...violations("lost", missing), ...violations("twice", extra.length > unacknowledged ? [many] : [])];
}

/** Answers are charged once, with the tokens they told of; what is charged beyond them is no more than what nobody heard. */
export function chargedOnce(marker: string, ledger: Ledger, records: readonly UsageRecord[]): Violation[] {
  // What workers did is charged by names of its own.
  const online = records.filter(({ id }) => isId("request", id));
  const byId = Map.groupBy(online, ({ id }) => id);
  const answered = [...ledger.inferences.values()].filter((inference) => inference.marker === marker);
  const lost: string[] = [];
  const wrong: string[] = [];
  for (const { id, ...told } of answered) {
    const [record] = byId.get(id) ?? [];
    if (!record) lost.push(`${id} was answered and not charged`);
    else if (
      told.model &&
      (["model", "input_tokens", "output_tokens"] as const).some((name) => record[name] !== told[name])
    )
      wrong.push(`${id} was charged as ${JSON.stringify(record)}, and answered as ${JSON.stringify(told)}`);
  }
  const twice = [...byId].filter(([, charges]) => charges.length > 1).map(([id]) => `${id} was charged twice`);
  const known = new Set(answered.map(({ id }) => id));
  const unheard = ledger.attempts.filter((attempt) => attempt.marker === marker && isUnheard(attempt)).length;
  const beyond = [...byId.keys()].filter((id) => !known.has(id)).length;
  if (beyond > unheard)
    twice.push(`${beyond} charges of ${marker} for ${unheard} requests that nobody heard an answer to`);
  return [...violations("lost", lost), ...violations("twice", twice), ...violations("wrong", wrong)];
}

function isUnheard(attempt: Attempt): boolean {
  return inferenceRequest(attempt) && (attempt.status === null || attempt.status >= 500);
}

interface Receipted {
  id: string;
  status: string;
  trained_tokens: number | null;
  receipt: { tokens: number; price: { value: number } } | null;
}

/** Records of training add up to the receipts of the jobs, and a job that ended well was charged for what it learnt. */
export function receiptsAddUp(
  marker: string,
  jobs: readonly Receipted[],
  records: readonly UsageRecord[],
): Violation[] {
  const training = records.filter(({ kind }) => kind === "fine_tuning");
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const receipts = jobs.flatMap(({ receipt }) => receipt ?? []);
  const totals = [
    ["jobs", receipts.length, sum(training.map(({ requests }) => requests))],
    ["tokens", sum(receipts.map(({ tokens }) => tokens)), sum(training.map(({ input_tokens }) => input_tokens))],
    ["price", sum(receipts.map(({ price }) => Math.round(price.value * 1e9))), sum(training.map(({ nanos }) => nanos))],
  ] as const;
  const unequal = totals.flatMap(([name, told, charged]) =>
    told === charged ? [] : [`${name} of ${marker}'s receipts are ${told}, of its records of training ${charged}`],
  );
  const ended = jobs.filter(({ status }) => status === "succeeded");
  const wrong = ended.filter(
    ({ trained_tokens, receipt }) => trained_tokens === null || receipt?.tokens !== trained_tokens,
  );
  return [
    ...violations("twice", unequal),
    ...violations(
      "wrong",
      wrong.map(({ id, trained_tokens, receipt }) => `${id} learnt ${trained_tokens}, receipt ${receipt?.tokens}`),
    ),
  ];
}

export interface BatchFacts {
  id: string;
  custom_ids: string[];
  status: string;
  /** Of the files' lines. */
  output: { custom_id: string; label: string }[];
  errors: { custom_id: string; code: string }[];
  labels: string[];
  /** Lines by its records of usage. */
  charged: number;
}

/** Each line has one result, of the project's own labels, and each answered line one charge. */
export function batchIsWhole({ id, custom_ids, status, output, errors, labels, charged }: BatchFacts): Violation[] {
  if (status !== "completed") return violations("lost", [`${id} is ${status}`]);
  const results = [...output, ...errors].map(({ custom_id }) => custom_id);
  const asked = new Set(custom_ids);
  const seen = new Set<string>();
  const repeated = results.filter((custom_id) => seen.size === seen.add(custom_id).size);
  return [
    ...violations(
      "lost",
      custom_ids.filter((one) => !seen.has(one)).map((one) => `${id} has no result of ${one}`),
    ),
    ...violations(
      "twice",
      repeated.map((one) => `${id} has two results of ${one}`),
    ),
    ...violations(
      "crossed",
      results.filter((one) => !asked.has(one)).map((one) => `${id} has a result of ${one}`),
    ),
    ...violations(
      "crossed",
      output.filter(({ label }) => !labels.includes(label)).map(({ label }) => `${id} says ${label}`),
    ),
    ...violations(
      "wrong",
      errors.map(({ custom_id, code }) => `${id}: ${custom_id} was refused: ${code}`),
    ),
    ...violations(
      charged > output.length ? "twice" : "lost",
      charged === output.length ? [] : [`${id} was charged for ${charged} lines of ${output.length}`],
    ),
  ];
}

/** Every 5xx of the API that a client saw, or that the API says it gave, bears an id, and a line of the log has that id and the cause. */
export function isExplained(attempts: readonly Attempt[], log: readonly LogLine[]): Violation[] {
  const failed = log.filter(({ msg, err }) => msg === "failed" && err !== undefined);
  const causes = new Set(failed.map(({ request_id }) => request_id));
  const bad = attempts.filter(({ status, byBucket }) => status !== null && status >= 500 && !byBucket);
  const mute = bad.filter(({ requestId }) => requestId === null || !causes.has(requestId));
  const answered = log.filter(({ msg, status = 0 }) => msg === "answered" && status >= 500);
  return [
    ...violations(
      "unexplained",
      mute.map(({ method, path, status, requestId }) => `${method} ${path}: ${status}, id ${requestId}`),
    ),
    ...violations(
      "unexplained",
      answered
        .filter(({ request_id }) => !causes.has(request_id))
        .map((line) => `logged ${line.path} ${line.status} ${line.request_id} without a cause`),
    ),
  ];
}

export interface LogLine {
  msg?: string;
  request_id?: string;
  status?: number;
  path?: string;
  err?: unknown;
}

/** By the number that each move bears as its reason. */
export function movesAreKept(
  marker: string,
  asked: readonly { reason: string; to: unknown; acknowledged: boolean }[],
  history: readonly { reason: string | null; to: string | null }[],
  now: string,
): Violation[] {
  const times = (reason: string) => history.filter((move) => move.reason === reason).length;
  const lost = asked.filter(({ reason, acknowledged }) => acknowledged && times(reason) === 0);
  const twice = asked.filter(({ reason }) => times(reason) > 1);
  const last = asked.findLastIndex(({ acknowledged }) => acknowledged);
  const possible = asked.slice(Math.max(last, 0)).map(({ to }) => to);
  return [
    ...violations(
      "lost",
      lost.map(({ reason }) => `the move ${reason} is in no history`),
    ),
    ...violations(
      "twice",
      twice.map(({ reason }) => `the move ${reason} is in the history twice`),
    ),
    ...violations("lost", last >= 0 && !possible.includes(now) ? [`the alias of ${marker} means ${now}`] : []),
  ];
}

/** What ended was told of to its own project. */
export function isTold(
  ended: readonly { marker: string; id: string }[],
  events: readonly { marker: string; id: string }[],
): Violation[] {
  const told = new Set(events.map(({ marker, id }) => `${marker} ${id}`));
  const owners = new Map(ended.map(({ marker, id }) => [id, marker]));
  return [
    ...violations(
      "lost",
      ended
        .filter(({ marker, id }) => !told.has(`${marker} ${id}`))
        .map(({ id }) => `no webhook told of the end of ${id}`),
    ),
    ...violations(
      "crossed",
      events
        .filter(({ marker, id }) => (owners.get(id) ?? marker) !== marker)
        .map(({ marker, id }) => `${marker} was told of ${id} by webhook`),
    ),
  ];
}

export const toldBy = (kind: ViolationKind, what: readonly string[]): Violation[] => violations(kind, what);
