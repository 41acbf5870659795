/** Models of others' making: any ONNX file, by the inputs and outputs that it declares. */
import { statSync } from "node:fs";
import type { Implementations } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { createSession, type Session } from "../session.ts";
import { inTurn } from "./inTurn.ts";

interface Loaded {
  readonly session: Promise<Session>;
  readonly bytes: number;
}

/** By path, in order of last use. */
const models = new Map<string, Loaded>();

/** Bytes of model files whose sessions are kept. */
const budget = 1024 ** 3;
/** Of the answer: it travels between processes, and is written as text. */
const mostBytes = 8 * 1024 * 1024;

export const infer: Implementations<"inspect" | "infer"> = {
  async inspect({ path }) {
    const session = await createSession(path, { threads: deviceThreads() });
    const { inputs, outputs } = session;
    await session.release();
    return { inputs, outputs };
  },

  async infer({ path, feeds, outputs }) {
    const session = await loaded(path);
    // What a model says of what it was given is for whoever gave it; it may well be the dimensions of an inner product.
    const found = await inTurn(() => session.run(feeds, outputs)).catch((error: Error) => error);
    if (found instanceof Error) return { refused: found.message.split("\n", 1)[0]! };
    const bytes = Object.values(found).reduce((sum, { data }) => sum + data.byteLength, 0);
    return bytes > mostBytes ? { refused: `the outputs hold ${bytes} bytes, more than ${mostBytes}` } : { found };
  },
};

function loaded(path: string): Promise<Session> {
  const model = models.get(path) ?? {
    session: createSession(path, { threads: deviceThreads() }),
    bytes: statSync(path).size,
  };
  models.delete(path);
  models.set(path, model);
  model.session.catch(() => models.delete(path));
  evict(path);
  return model.session;
}

function evict(kept: string): void {
  let total = [...models.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [path, { session, bytes }] of models) {
    if (total <= budget || path === kept) return;
    models.delete(path);
    total -= bytes;
    // In its turn: a run that was asked for before may still need it.
    void inTurn(async () => (await session).release()).catch(() => {});
  }
}
