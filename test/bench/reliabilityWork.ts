/** What a project's client has workers do: jobs, batches, eval runs, dataset versions; and the alias it moves to the newest model. */
import { decisionLine } from "../support/batches.ts";
import { asking } from "../support/evals.ts";
import { jsonl, rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import type { Entry, Noun } from "./reliabilityLedger.ts";
import type { Action, Session } from "./reliabilitySession.ts";
import { labelsOf, pickFrom, rowsFor, upload } from "./reliabilitySession.ts";

/** Of each kind, so that a slow machine is not buried in work. */
const mostAtOnce = 2;
const over = /^(succeeded|failed|cancelled|completed|expired|canceled|ready)$/;

const open = ({ ledger, marker }: Session, noun: Noun) =>
  ledger.of(noun, marker).filter(({ content }) => !over.test(String(content.status)));
const hasRoom = (noun: Noun) => (session: Session) => open(session, noun).length < mostAtOnce;
const both = (noun: Noun) => (session: Session) => session.models.length > 0 && hasRoom(noun)(session);

/** What the API says of it now; a model that is new is called from then on. */
export async function look(session: Pick<Session, "client" | "models">, entry: Entry): Promise<void> {
  const { client } = session;
  const { noun, id, content } = entry;
  if (noun === "job") {
    const job = await client.fineTuning.jobs.retrieve(id);
    content.status = job.status;
    if (job.fine_tuned_model && !session.models.includes(job.fine_tuned_model))
      session.models.push(job.fine_tuned_model);
  } else if (noun === "batch") content.status = (await client.batches.retrieve(id)).status;
  else if (noun === "eval_run") {
    content.status = (await client.evals.runs.retrieve(id, { eval_id: String(content.eval) })).status;
  } else if (noun === "version") {
    const path = `/datasets/${content.dataset}/versions/${content.version}`;
    content.status = (await client.get<{ status: string }>(path)).status;
  }
}

/** Twice by one key, as a client does that is not sure: what comes back must be one job. */
async function createJob(session: Session): Promise<void> {
  const { client, ledger, marker } = session;
  const training = await upload(session, jsonl(rowsFor(session, 12)), "fine-tune");
  const body = {
    model: "millrace-ngram",
    training_file: training.id,
    seed: session.made,
    method: { type: "supervised" as const, supervised: { hyperparameters: { n_epochs: 2, batch_size: 16 } } },
  };
  const key = session.random() < 0.4 ? `${marker}-${session.made++}` : undefined;
  const create = () => client.fineTuning.jobs.create(body, key ? { headers: { "Idempotency-Key": key } } : {});
  const { id } = await create();
  ledger.add("job", session, id, { status: "queued", training_file: training.id });
  if (key === undefined) return;
  const again = await create();
  if (again.id !== id) ledger.wrong.push(`one Idempotency-Key of ${marker} made ${id} and ${again.id}`);
}

const change = (to: "cancel" | "pause" | "resume"): Action => ({
  weight: 1,
  isPossible: (session) => open(session, "job").length > 0,
  async run(session) {
    const entry = pickFrom(session, open(session, "job"));
    await session.client.fineTuning.jobs[to](entry.id);
    if (to !== "pause") return;
    await session.client.fineTuning.jobs.resume(entry.id);
  },
});

async function createBatch(session: Session): Promise<void> {
  const { client, ledger } = session;
  const model = pickFrom(session, session.models);
  const count = 4 + Math.floor(session.random() * 8);
  const questions = [
    { type: "choice", instructions: "Which?", choices: labelsOf(session).map((value) => ({ value })) },
  ];
  const lines = Array.from({ length: count }, (_, line) =>
    decisionLine(`${session.marker}-${session.made++}-${line}`, model, `My invoice ${line}`, {
      body: { model, input: `My invoice ${line}`, questions },
    }),
  );
  const input = await upload(session, jsonl(lines), "batch");
  const batch = await client.batches.create({
    input_file_id: input.id,
    // What the SDK's types do not know yet.
    endpoint: "/v1/decisions" as "/v1/embeddings",
    completion_window: "24h",
  });
  const custom_ids = lines.map(({ custom_id }) => custom_id);
  ledger.add("batch", session, batch.id, { status: "validating", custom_ids, model });
}

async function createVersion(session: Session): Promise<void> {
  const { client, ledger, marker } = session;
  const source = await upload(session, jsonl(rowsFor(session, 8)), "fine-tune");
  const body = { sources: [{ type: "file", file_id: source.id }] };
  const made = await client.post<{ id: string; version: number }>(`/datasets/${marker}/versions`, { body });
  ledger.add("version", session, made.id, { status: "building", dataset: marker, version: made.version, rows: 24 });
}

async function createRun(session: Session): Promise<void> {
  const { client, ledger } = session;
  const items = rowsOf(2).map(({ text, label }) => ({ text, label: `${session.marker}-${label}` }));
  const data_source = asking(pickFrom(session, session.models), items);
  const run = await client.evals.runs.create(session.eval, { data_source });
  ledger.add("eval_run", session, run.id, { status: "queued", eval: session.eval, items: items.length });
}

/** Each move bears a number as its reason, by which it is found in the history. */
async function moveAlias(session: Session): Promise<void> {
  const { client, ledger, marker } = session;
  // Not what it means or may mean already: that would be no move.
  const moves = ledger.of("alias_move", marker);
  const last = moves.findLastIndex(({ content }) => content.acknowledged);
  const means = moves.slice(Math.max(last, 0)).map(({ content }) => content.to);
  const others = session.models.filter((model) => !means.includes(model));
  if (others.length === 0) return;
  const reason = `${marker} ${session.made++}`;
  const move = ledger.add("alias_move", session, reason, { to: pickFrom(session, others), acknowledged: false });
  await client.post("/aliases/prod", { body: { model: move.content.to, reason } });
  move.content.acknowledged = true;
}

/** Somebody else's, which must be as if it were not there. */
async function peek(session: Session): Promise<void> {
  const { client, ledger, marker } = session;
  const strange = ledger.of("job").filter((entry) => entry.marker !== marker);
  const { id } = pickFrom(session, strange);
  const found = await client.fineTuning.jobs.retrieve(id).catch((error) => {
    if (error.status !== 404) throw error;
    return undefined;
  });
  if (found) ledger.crossed.push(`${marker} was shown ${id} of another`);
}

export const workActions: Record<string, Action> = {
  job: { weight: 4, makes: "job", isPossible: hasRoom("job"), run: createJob },
  cancel: { ...change("cancel"), weight: 0.5 },
  pause: change("pause"),
  batch: { weight: 3, makes: "batch", isPossible: both("batch"), run: createBatch },
  version: { weight: 2, makes: "version", isPossible: hasRoom("version"), run: createVersion },
  evalRun: { weight: 2, makes: "eval_run", isPossible: both("eval_run"), run: createRun },
  alias: { weight: 2, isPossible: ({ models }) => models.length > 1, run: moveAlias },
  peek: {
    weight: 2,
    isPossible: ({ ledger, marker }) => ledger.of("job").some((entry) => entry.marker !== marker),
    run: peek,
  },
  watch: {
    weight: 16,
    async run(session) {
      const nouns: readonly Noun[] = ["job", "batch", "eval_run", "version"];
      const waiting = nouns.flatMap((noun) => open(session, noun));
      if (waiting.length) await look(session, pickFrom(session, waiting));
    },
  },
};

/** A project's first. */
export async function createModel(session: Session): Promise<void> {
  await createJob(session);
  const [first] = session.ledger.of("job", session.marker);
  await until(
    async () => {
      await look(session, first!);
      return session.models.length > 0;
    },
    { what: `the first model of ${session.marker}`, seconds: 120 },
  );
}
