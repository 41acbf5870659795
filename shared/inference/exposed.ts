/** Exposures of calls that an experiment assigned: written once for a unit, with what became of its first call. */
import { LRUCache } from "lru-cache";
import { timeOfId } from "../ids.ts";
import type { ExposureRecord } from "../schemas/exposure.ts";
import type { Exposures } from "../stores/exposures.ts";
import type { Inference } from "./recorded.ts";

/** How a call ended. */
export interface Fate {
  /** Null: without an answer, or not at its end. */
  latency_ms: number | null;
  output: unknown;
  /** Thrown by the endpoint; a client that went away is none. */
  error?: unknown;
}

export interface Exposer {
  /** Without effect where no experiment assigned the call. */
  log(inference: Inference, fate: Fate): Promise<void>;
}

const mostRemembered = 50_000;

export function createExposer(exposures: Pick<Exposures, "log">): Exposer {
  /** The inference that is known to have exposed a unit, so that its further calls write nothing. */
  const known = new LRUCache<string, string>({ max: mostRemembered });
  return {
    async log(inference, fate) {
      const exposure = exposureOf(inference, fate);
      if (!exposure) return;
      const key = `${exposure.experiment_id}/${exposure.unit}`;
      const first = known.get(key);
      if (first !== undefined && first !== inference.id) return;
      await exposures.log(exposure);
      known.set(key, inference.id);
    },
  };
}

function exposureOf({ id, project, assignment, episode_id = null }: Inference, fate: Fate): ExposureRecord | undefined {
  if (!assignment?.experiment) return undefined;
  const { unit, experiment } = assignment;
  const created_at = Math.floor(timeOfId(id) / 1000);
  return {
    project_id: project.id,
    experiment_id: experiment.id,
    unit: unit.key,
    unit_kind: unit.kind,
    arm: experiment.arm,
    stage: experiment.stage,
    inference_id: id,
    episode_id,
    latency_ms: fate.latency_ms,
    is_error: isError(fate.error),
    is_refusal: isRefusal(fate.output),
    created_at,
    expires_at: expiryOf(project, created_at),
  };
}

const daySeconds = 24 * 60 * 60;

/** By what the project says now of how long inferences are kept. */
export function expiryOf({ inference_retention_days: days = null }: Inference["project"], created_at: number) {
  return days === null ? null : created_at + days * daySeconds;
}

function isError(error: unknown): boolean {
  return error !== undefined && !(error instanceof Error && error.name === "AbortError");
}

/** Of decisions: any of the answers; of texts: what OpenAI's models say in `refusal`. */
function isRefusal(output: unknown): boolean {
  const { answers = [], choices = [] } = (output ?? {}) as {
    answers?: readonly { type?: string }[];
    choices?: readonly { message?: { refusal?: string | null } }[];
  };
  return answers.some(({ type }) => type === "refusal") || choices.some(({ message }) => message?.refusal != null);
}
