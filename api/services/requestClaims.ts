/** Requests that a client sends again because it read no answer make nothing a second time. */
import { createHash } from "node:crypto";
import { ApiError } from "../../shared/errors.ts";
import { type IdKind, newId } from "../../shared/ids.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Claims } from "../../shared/stores/claims.ts";

/** How a client marks a request that it may have sent before. */
export interface Attempt {
  idempotencyKey: string | undefined;
  /** What the SDK sends when it tries again without having read an answer. */
  retryCount: number;
}

export interface RequestClaims {
  /** The id of what this request makes, or of what the same request made within the last ten minutes. */
  idFor(kind: IdKind, project: Pick<Project, "id">, request: unknown, attempt: Attempt): Promise<string>;
}

const replaySeconds = 600;

export function createRequestClaims(claims: Claims): RequestClaims {
  return {
    async idFor(kind, project, request, attempt) {
      const fingerprint = sha256(JSON.stringify([kind, request]));
      const key = attempt.idempotencyKey;
      const name = key === undefined ? `body#${fingerprint}` : `key#${sha256(key)}`;
      if (key === undefined && attempt.retryCount === 0) await claims.release(project.id, name);
      const expires_at = Math.floor(Date.now() / 1000) + replaySeconds;
      const claim = await claims.claim(project.id, name, { object_id: newId(kind), fingerprint, expires_at });
      if (claim.fingerprint === fingerprint) return claim.object_id;
      const message = "This Idempotency-Key was used within the last ten minutes for a different request.";
      throw new ApiError("invalid_value", message, { param: "Idempotency-Key" });
    },
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
