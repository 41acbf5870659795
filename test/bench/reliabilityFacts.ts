/** Gathers what is there when all has settled, past the faults, and has it checked against the ledger. */
import { readFileSync } from "node:fs";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { AliasMove } from "../../shared/schemas/alias.ts";
import type { UsageRecord } from "../../shared/schemas/usage.ts";
import type { OutputLine } from "../support/batches.ts";
import type { Received } from "../support/receiver.ts";
import type { LogLine, Violation } from "./reliabilityChecks.ts";
import * as checks from "./reliabilityChecks.ts";
import type { Attempt, Entry, Ledger } from "./reliabilityLedger.ts";
import { checkContent } from "./reliabilityLoad.ts";
import { checkMoney } from "./reliabilityMoney.ts";
import { labelsOf, type Session } from "./reliabilitySession.ts";
import { look } from "./reliabilityWork.ts";
import type { World } from "./reliabilityWorld.ts";

const everything = 100_000;
const ends: Partial<Record<Entry["noun"], readonly string[]>> = {
  job: ["succeeded", "failed", "cancelled"],
  batch: ["completed", "failed", "cancelled", "expired"],
  eval_run: ["completed", "failed", "canceled"],
  version: ["ready", "failed"],
};
const isUnheard = ({ method, status }: Attempt) => method === "POST" && (status === null || status >= 500);
export const hasEnded = ({ noun, content }: Entry) => ends[noun]?.includes(String(content.status)) ?? true;

export async function checkProject(
  session: Session,
  world: World,
  received: readonly Received[],
): Promise<Violation[]> {
  const { ledger, marker, project } = session;
  const { stores } = world.cloud;
  const records = await collect(stores.usage.stream(project, 0, Math.ceil(Date.now() / 1000) + 60));
  const jobs = await stores.jobs.list(project, { limit: everything });
  const batches = await stores.batches.list(project, { limit: everything });
  const files = await stores.files.list(project, { limit: everything, order: "asc" });
  const uploaded = files.filter(({ purpose }) => purpose === "fine-tune" || purpose === "batch");
  const kept = ledger.of("file", marker).filter(({ deleted }) => deleted === undefined);
  const gone = ledger.of("file", marker).filter(({ deleted }) => deleted === "done");
  const wereAsked = new Set(ledger.of("file", marker).flatMap(({ id, deleted }) => (deleted ? [id] : [])));
  for (const entry of kept) await checkContent(session, entry);
  const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
  const isThere = (noun: Entry["noun"], found: string[], acknowledged = ids(ledger.of(noun, marker))) =>
    checks.isThereOnce(`${noun} of ${marker}`, { acknowledged, found, unacknowledged: ledger.failed(noun, marker) });
  // An upload's body is another each time it is sent, by which it would be known: only a key makes it safe to send again.
  const uploads = ledger.attempts.filter((one) => one.marker === marker && one.path === "/v1/files" && isUnheard(one));
  const remaining = ids(uploaded).filter((id) => !wereAsked.has(id));
  const back = ids(uploaded).filter((id) => ids(gone).includes(id));
  return [
    ...checks.isThereOnce(`files of ${marker}`, {
      acknowledged: ids(kept),
      found: remaining,
      unacknowledged: uploads.length,
    }),
    ...checks.toldBy(
      "lost",
      back.map((id) => `${id} was deleted and is there`),
    ),
    ...isThere("job", ids(jobs)),
    ...isThere("batch", ids(batches)),
    ...checks.chargedOnce(marker, ledger, records),
    ...checks.receiptsAddUp(marker, jobs, records),
    ...(await checkBatches(session, world, records)),
    ...(await checkRows(session, world)),
    ...(await checkAlias(session)),
    ...(await checkMoney(session, records)),
    ...checkWebhooks(session, received),
  ];
}

async function checkBatches(session: Session, world: World, records: readonly UsageRecord[]): Promise<Violation[]> {
  const { client, ledger, marker } = session;
  const found: Violation[] = [];
  const linesOf = async (file: string | null | undefined) => {
    if (!file) return [];
    const text = await (await client.files.content(file)).text();
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as OutputLine);
  };
  for (const { id, content } of ledger.of("batch", marker)) {
    const batch = await world.cloud.stores.batches.get(session.project, id);
    if (!batch) continue;
    const output = await linesOf(batch.output_file_id);
    const errors = await linesOf(batch.error_file_id);
    const mine = records.filter((record) => record.is_batch && record.id.startsWith(`${id}#`));
    found.push(
      ...checks.batchIsWhole({
        ...{ id, status: batch.status, custom_ids: content.custom_ids as string[], labels: labelsOf(session) },
        output: output.map(({ custom_id, response }) => ({ custom_id, label: response?.body.answers[0].choice })),
        errors: errors.map(({ custom_id, response, error }) => {
          return { custom_id, code: error?.code ?? response?.body.error.message };
        }),
        charged: mine.reduce((sum, { requests }) => sum + requests, 0),
      }),
    );
  }
  return found;
}

/** Eval runs with all their items, versions with all their rows, feedback with its value, inferences with their answers. */
async function checkRows({ ledger, marker, client, isRecorded, project }: Session, world: World): Promise<Violation[]> {
  const { stores } = world.cloud;
  const lost: string[] = [];
  for (const { id, content } of ledger.of("eval_run", marker)) {
    const run = await stores.evalRuns.get(project, id);
    const items = await stores.evalRuns.items({ project_id: project, id }, { limit: everything });
    const places = new Set(items.map(({ datasource_item_id }) => datasource_item_id));
    if (run?.status !== "completed" || run.result_counts.total !== content.items || run.result_counts.errored > 0)
      lost.push(`${id} is ${run?.status} with ${JSON.stringify(run?.result_counts)}: ${run?.error?.message}`);
    else if (places.size !== content.items || items.length !== content.items)
      lost.push(`${id} has ${items.length} items of ${content.items}`);
  }
  for (const { id, content } of ledger.of("version", marker)) {
    const path = `/datasets/${content.dataset}/versions/${content.version}`;
    const version = await client.get<{ id: string; status: string }>(path);
    if (version.id !== id || version.status !== "ready")
      lost.push(`version ${content.version} of ${marker} is ${version.status}`);
  }
  for (const { id, content } of ledger.of("feedback", marker)) {
    const { inference_id } = content;
    const query = { inference_id, limit: 100 };
    const { data } = await client.get<{ data: { id: string; value: unknown }[] }>("/feedback", { query });
    if (!data.some((one) => one.id === id && one.value === content.value)) lost.push(`${id} is not as it was given`);
  }
  if (isRecorded) {
    const answered = [...ledger.inferences.values()].filter((inference) => inference.marker === marker);
    const rows = await stores.inferences.getMany(
      project,
      answered.map(({ id }) => id),
    );
    const there = new Set(rows.map(({ id }) => id));
    lost.push(...answered.filter(({ id }) => !there.has(id)).map(({ id }) => `${id} was answered and is not recorded`));
  }
  return checks.toldBy("lost", lost);
}

async function checkAlias({ client, ledger, marker }: Session): Promise<Violation[]> {
  const asked = ledger.of("alias_move", marker).map(({ id, content }) => {
    return { reason: id, to: content.to, acknowledged: content.acknowledged === true };
  });
  if (asked.length === 0) return [];
  const history: AliasMove[] = [];
  for (let after: string | undefined; ; ) {
    const query = { limit: 100, ...(after && { after }) };
    const page = await client.get<{ data: AliasMove[]; has_more: boolean }>("/aliases/prod/moves", { query });
    history.push(...page.data);
    after = page.data.at(-1)?.id;
    if (!page.has_more) break;
  }
  const { model } = await client.get<{ model: string }>("/aliases/prod");
  return checks.movesAreKept(marker, asked, history, model);
}

function checkWebhooks({ ledger, marker }: Session, received: readonly Received[]): Violation[] {
  const events = received.map(({ path, body }) => {
    return { marker: path.slice(1), id: (JSON.parse(body) as { data: { id: string } }).data.id };
  });
  const ended = ledger.entries.filter(({ noun }) => ends[noun]);
  const mine = ended.filter((entry) => entry.marker === marker && hasEnded(entry));
  return checks.isTold(
    mine,
    events.filter((event) => event.marker === marker || ended.some(({ id }) => id === event.id)),
  );
}

/** What the whole deployment has to show. */
export async function checkWorld(ledger: Ledger, world: World): Promise<Violation[]> {
  const { aws, names } = world.cloud;
  const stray: string[] = [];
  for (;;) {
    const asked = { QueueUrl: names.deadLetterQueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] };
    const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand(asked));
    if (Messages.length === 0) break;
    const isOurs = ({ MessageAttributes }: (typeof Messages)[number]) => MessageAttributes?.cause !== undefined;
    stray.push(
      ...Messages.filter((message) => !isOurs(message)).map(({ Body }) => `a dead letter without a cause: ${Body}`),
    );
  }
  const orphans = (await world.orphans()).map((pid) => `process ${pid} outlived its killed parent`);
  return [
    ...checks.toldBy("crossed", ledger.crossed),
    ...checks.toldBy("wrong", [...ledger.wrong, ...stray, ...orphans]),
    ...checks.isExplained(ledger.attempts, logLines(readFileSync(world.logs.api, "utf8"))),
  ];
}

/** A killed process may have left half a line. */
export function logLines(text: string): LogLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
}

/** Looks at what has not ended; what still has not. */
export async function unended(sessions: readonly Session[]): Promise<Entry[]> {
  const left: Entry[] = [];
  for (const session of sessions) {
    const open = session.ledger.entries.filter((entry) => entry.marker === session.marker && !hasEnded(entry));
    for (const entry of open) {
      await look(session, entry).catch(() => {});
      if (!hasEnded(entry)) left.push(entry);
    }
  }
  return left;
}

async function collect<One>(stream: AsyncIterable<One>): Promise<One[]> {
  const all: One[] = [];
  for await (const one of stream) all.push(one);
  return all;
}
