/** Asks ECS not to end this task while it is at work. Where there is no ECS, nobody is asked. */
import type { Log } from "../shared/log.ts";

export interface Protection {
  /** Returns when the task is protected, or soon where ECS cannot be asked: then the work may have to be put down. */
  hold(): Promise<void>;
  /** As often as it was held. */
  release(): void;
  /** Nothing is at work any more, nor will be. */
  end(): Promise<void>;
}

export interface ProtectionOptions {
  /** ECS's agent, as `ECS_AGENT_URI` has it. */
  agent: string | undefined;
  log: Pick<Log, "warn">;
  /** After which ECS no longer protects a task, whatever it is at. */
  minutes?: number;
  /**
   * After which it is asked again. A deployment or a drain waits for protected tasks, and with a long queue one piece of work
   * follows the other: without a gap it would wait for ever. What it ends then goes on elsewhere from its checkpoint.
   */
  gapMinutes?: number;
  /** Who has nothing to do for so long gives the protection up: work often comes one after the other. */
  lingerMilliseconds?: number;
  /** Of one question. */
  timeoutMilliseconds?: number;
}

export function createProtection(options: ProtectionOptions): Protection {
  const { agent, log, minutes = 60, gapMinutes = 2, lingerMilliseconds = 5000, timeoutMilliseconds = 2000 } = options;
  if (agent === undefined) return { hold: async () => {}, release() {}, end: async () => {} };
  const url = `${agent}/task-protection/v1/state`;
  let held = 0;
  /** Since it was asked for and not given up. */
  let kept: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;
  let linger: NodeJS.Timeout | undefined;
  /** One question after the other, lest an older answer be the last word. */
  let asking = Promise.resolve(true);

  /** False where it was refused. */
  const ask = (state: object) => {
    asking = asking.then(() =>
      put(url, state, timeoutMilliseconds).then(
        () => true,
        (error) => {
          log.warn({ error, ...state }, "ECS did not change the task's protection");
          return false;
        },
      ),
    );
    return asking;
  };
  const keep = async () => {
    const isProtected = await ask({ ProtectionEnabled: true, ExpiresInMinutes: minutes });
    const pause = isProtected ? minutes + gapMinutes : minutes / 10;
    again = setTimeout(() => (kept = held > 0 ? keep() : undefined), pause * 60_000).unref();
  };
  const giveUp = () => {
    clearTimeout(again);
    kept = undefined;
    return ask({ ProtectionEnabled: false });
  };
  const rest = () => kept?.then(() => held === 0 && giveUp());

  return {
    hold() {
      held++;
      clearTimeout(linger);
      kept ??= keep();
      return kept;
    },
    release() {
      held--;
      if (held === 0) linger = setTimeout(() => void rest(), lingerMilliseconds).unref();
    },
    async end() {
      clearTimeout(linger);
      await kept;
      if (kept) await giveUp();
    },
  };
}

async function put(url: string, state: object, milliseconds: number): Promise<void> {
  const headers = { "content-type": "application/json" };
  const request = { method: "PUT", headers, body: JSON.stringify(state), signal: AbortSignal.timeout(milliseconds) };
  const response = await fetch(url, request);
  const body = await response.text();
  // A refusal may come with status 200, as a `failure` or an `error`.
  if (!response.ok || !("protection" in JSON.parse(body))) throw new Error(`${response.status}: ${body}`);
}
