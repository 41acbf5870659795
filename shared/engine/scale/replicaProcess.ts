/** A replica's process: sessions, and the tensors that stay with them from call to call. */
import type { Tensor } from "../dataTypes.ts";
import { endWithParent } from "../runtime/childProcess.ts";
import { createSession, type Session, SessionError } from "../runtime/session.ts";
import type {
  ReplicaReply,
  ReplicaRequest,
  ReplicaResults,
  ReplicaRun,
  ReplicaWork,
  Tensors,
} from "./replicaProtocol.ts";

endWithParent();

const sessions = new Map<string, Session>();
let held: Tensors = {};

type Handlers = { [Type in ReplicaWork["type"]]: (work: ReplicaWork & { type: Type }) => Promise<ReplicaResults> };

const nothing: ReplicaResults = { each: [], last: {} };

const handlers: Handlers = {
  async load({ name, model, options }) {
    await sessions.get(name)?.release();
    sessions.set(name, await createSession(model, options));
    return nothing;
  },
  async hold({ tensors }) {
    held = { ...held, ...tensors };
    return nothing;
  },
  get: async ({ names }) => ({ each: [], last: chosen(held, names) }),
  run: async ({ request }) => run(request),
};

async function run({ model, batches, carry, keep, each, last }: ReplicaRun): Promise<ReplicaResults> {
  const session = sessions.get(model);
  if (!session) throw new SessionError(`no model "${model}" is loaded`);
  let carried = held;
  let results: Record<string, Tensor> = {};
  const seen: Tensors[] = [];
  for (const batch of batches) {
    const known = session.inputNames.filter((name) => carried[name] && !batch[name]);
    results = await session.run({ ...chosen(carried, known), ...batch });
    const next = Object.entries(carry).map(([output, name]) => [name, chosen(results, [output])[output]!] as const);
    carried = { ...carried, ...Object.fromEntries(next) };
    seen.push(chosen(results, each));
  }
  if (keep) held = carried;
  return { each: seen, last: chosen(results, last) };
}

function chosen(tensors: Tensors, names: readonly string[]): Record<string, Tensor> {
  const missing = names.find((name) => !tensors[name]);
  if (missing !== undefined) throw new SessionError(`there is no tensor "${missing}"`);
  return Object.fromEntries(names.map((name) => [name, tensors[name]!]));
}

const send = (reply: ReplicaReply) => void process.send?.(reply, () => {});
let before: Promise<void> = Promise.resolve();

/** One after another: what one call carries, the next one needs. */
process.on("message", ({ call, work }: ReplicaRequest) => {
  const handle = handlers[work.type] as (work: ReplicaWork) => Promise<ReplicaResults>;
  before = before
    .then(() => handle(work))
    .then((done) => send({ call, done }))
    .catch((error: Error) => send({ call, failed: error.message }));
});
