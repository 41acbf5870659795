/** Requests that a client sends again because it read no answer are done once: the others wait, and get its answer. */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "../../shared/errors.ts";
import { type IdKind, newId, sameId } from "../../shared/ids.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Claim, Claims, KeptAnswer } from "../../shared/stores/claims.ts";

/** How a client marks a request that it may have sent before. */
export interface Attempt {
  idempotencyKey: string | undefined;
  /** What the SDK sends when it tries again without having read an answer; 0: its first try, or none of an SDK. */
  retryCount: number;
  /** The id of the request that first came, where this one is known by it; see `idFor`. */
  claimed?: string | undefined;
}

export interface ClaimedRequest extends Attempt {
  requestId: string;
  /** Of its method, path and body. */
  fingerprint: string;
  signal: AbortSignal;
}

/** Either what was answered already, or the right to find the answer. */
export type Begun = { answer: KeptAnswer; requestId: string } | HeldClaim;

export interface HeldClaim {
  /** The id of the request that first came. */
  requestId: string;
  /** The answer for all who ask again. */
  keep(answer: KeptAnswer): Promise<void>;
  /** Whoever asks again does the work, under the same id. */
  letGo(): Promise<void>;
  /** As if it never had been asked. */
  forget(): Promise<void>;
}

export interface RequestClaims {
  /** Waits while another one is at work on the same request; throws ApiError `request_in_progress` where that takes long. */
  begin(project: Pick<Project, "id">, request: ClaimedRequest): Promise<Begun>;
  /** The id of the answer that this request has a worker make, or that the same request had made within ten minutes. */
  answerId(project: Pick<Project, "id">, request: unknown, attempt: Attempt): Promise<string>;
}

/** How long an `Idempotency-Key` stands for its request. */
export const keySeconds = 24 * 60 * 60;
/** How long a request without one is known by its body. */
export const bodySeconds = 600;
/** Whoever is at work and silent for so long has died. */
const leaseMilliseconds = 9000;
const renewMilliseconds = 3000;
/** A gateway in front may wait no more than 29 seconds. */
const patienceMilliseconds = 25_000;
const shortestPause = 15;
const longestPause = 500;

/** Of what the request makes: the same one each time that the request comes. */
export function idFor(kind: IdKind, { claimed }: Attempt): string {
  return claimed === undefined ? newId(kind) : sameId(kind, claimed);
}

export function createRequestClaims(claims: Claims): RequestClaims {
  const hold = (project: string, name: string, claim: Claim): HeldClaim => {
    let current = claim;
    const change = async (changes: Partial<Claim>) => {
      // Where somebody else has taken over, theirs is the answer that is kept.
      if (await claims.change(project, name, current, changes)) current = { ...current, ...changes };
    };
    let renewing = Promise.resolve();
    const renew = () => {
      renewing = change({ busy_until: Date.now() + leaseMilliseconds }).catch(() => {});
    };
    const timer = setInterval(renew, renewMilliseconds);
    const end = async (ending: () => Promise<unknown>) => {
      clearInterval(timer);
      await renewing;
      await ending();
    };
    return {
      requestId: claim.request_id,
      keep: (answer) => end(() => change({ answer, busy_until: 0 })),
      letGo: () => end(() => change({ busy_until: 0 })),
      forget: () => end(() => claims.delete(project, name, claim.attempt)),
    };
  };

  /** Undefined: look again. */
  const takeOver = async (project: string, name: string, earlier: Claim, mine: Claim) => {
    const { request_id, fingerprint, is_first_seen } = earlier;
    const same = { ...mine, request_id, fingerprint, is_first_seen: is_first_seen || mine.is_first_seen };
    return (await claims.change(project, name, earlier, same)) ? hold(project, name, same) : undefined;
  };

  return {
    async begin(project, asked) {
      const request = { ...asked };
      const { idempotencyKey: key, fingerprint } = request;
      const name = key === undefined ? `body#${fingerprint}` : `key#${sha256(key)}`;
      const deadline = Date.now() + patienceMilliseconds;
      let mine = newClaim(request);
      let earlier = await claims.create(project.id, name, mine);
      for (let between = shortestPause; earlier; between = Math.min(longestPause, between * 1.4)) {
        if (earlier.fingerprint !== fingerprint) throw reused();
        if (asksAnew(request, earlier)) {
          if (await claims.change(project.id, name, earlier, mine)) return hold(project.id, name, mine);
        } else if (request.retryCount === 0 && !earlier.is_first_seen) {
          // From here on it is as good as a retry, and whoever comes next as a first try asks anew.
          if (await claims.change(project.id, name, earlier, { is_first_seen: true })) request.retryCount = 1;
        } else if (earlier.answer) {
          return { answer: earlier.answer, requestId: earlier.request_id };
        } else if (earlier.busy_until < Date.now()) {
          const held = await takeOver(project.id, name, earlier, mine);
          if (held) return held;
        }
        if (Date.now() > deadline || request.signal.aborted) throw inProgress();
        await pause(between);
        mine = newClaim(request);
        earlier = (await claims.get(project.id, name)) ?? (await claims.create(project.id, name, mine));
      }
      return hold(project.id, name, mine);
    },
    async answerId(project, request, attempt) {
      if (attempt.claimed !== undefined) return sameId("answer", attempt.claimed);
      const fingerprint = sha256(JSON.stringify(request));
      const name = `answer#${fingerprint}`;
      const claim = { ...newClaim({ ...attempt, requestId: newId("request"), fingerprint }), busy_until: 0 };
      const earlier = await claims.create(project.id, name, claim);
      if (!earlier) return sameId("answer", claim.request_id);
      if (attempt.retryCount > 0) return sameId("answer", earlier.request_id);
      await claims.change(project.id, name, earlier, claim);
      return sameId("answer", claim.request_id);
    },
  };
}

/**
 * Without a key, a first try is a request of its own, be there the same one before; unless that one is known by a later
 * try alone: then this is the first, late on its way.
 */
function asksAnew({ idempotencyKey, retryCount }: Attempt, earlier: Claim): boolean {
  return idempotencyKey === undefined && retryCount === 0 && earlier.is_first_seen;
}

function newClaim(request: Omit<ClaimedRequest, "signal">): Claim {
  const seconds = request.idempotencyKey === undefined ? bodySeconds : keySeconds;
  return {
    request_id: request.requestId,
    fingerprint: request.fingerprint,
    attempt: newId("attempt"),
    busy_until: Date.now() + leaseMilliseconds,
    is_first_seen: request.retryCount === 0,
    answer: null,
    expires_at: Math.floor(Date.now() / 1000) + seconds,
  };
}

function reused(): ApiError {
  const message = "This Idempotency-Key was used within the last 24 hours for a different request.";
  return new ApiError("idempotency_key_reused", message, { param: "Idempotency-Key" });
}

function inProgress(): ApiError {
  return new ApiError("request_in_progress", "The same request is still at work: ask again for its answer.");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
