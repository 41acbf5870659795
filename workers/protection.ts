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
  /** After which ECS no longer protects a task whose worker fell silent. */
  minutes?: number;
  /** Who has nothing to do for so long gives the protection up: work often comes one after the other. */
  lingerMilliseconds?: number;
  /** Of one question. */
  timeoutMilliseconds?: number;
}

export function createProtection(options: ProtectionOptions): Protection {
  const { agent, log, minutes = 60, lingerMilliseconds = 5000, timeoutMilliseconds = 2000 } = options;
  if (agent === undefined) return { hold: async () => {}, release() {}, end: async () => {} };
  const url = `${agent}/task-protection/v1/state`;
  let held = 0;
  let isProtected = false;
  let timer: NodeJS.Timeout | undefined;
  /** One question after the other, lest an older answer be the last word. */
  let asking = Promise.resolve();

  const ask = (on: boolean) => {
    asking = asking.then(async () => {
      try {
        await put(url, on ? { ProtectionEnabled: true, ExpiresInMinutes: minutes } : { ProtectionEnabled: false });
        isProtected = on;
      } catch (error) {
        log.warn({ error, on }, "ECS did not change the task's protection");
      }
    });
    return asking;
  };
  const put = async (to: string, state: object) => {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const headers = { "content-type": "application/json" };
    const response = await fetch(to, { method: "PUT", headers, body: JSON.stringify(state), signal });
    const body = await response.text();
    // A refusal may come with status 200, as a `failure` or an `error`.
    if (!response.ok || !("protection" in JSON.parse(body))) throw new Error(`${response.status}: ${body}`);
  };
  const after = (milliseconds: number, work: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds).unref();
  };
  /** Again when half of its time is over, or a tenth where it failed. */
  const renew = () => {
    const share = isProtected ? 0.5 : 0.1;
    after(minutes * 60_000 * share, () => void ask(true).then(() => held > 0 && renew()));
  };

  return {
    async hold() {
      held++;
      if (held > 1 && isProtected) return;
      clearTimeout(timer);
      if (!isProtected) await ask(true);
      if (held > 0) renew();
    },
    release() {
      held--;
      if (held === 0) after(lingerMilliseconds, () => void (held === 0 && ask(false)));
    },
    async end() {
      clearTimeout(timer);
      if (isProtected) await ask(false);
    },
  };
}
