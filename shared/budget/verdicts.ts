/** Whether a project's month is exhausted, as of a few seconds ago: nobody who asks is kept waiting for a look. */
import { LRUCache } from "lru-cache";

/** What is asked for meanwhile is answered by the verdict of before. */
export const verdictMilliseconds = 3000;
/** A look at a busy project takes its time, and stands for so many times as long. */
const lookShare = 20;
const mostKept = 10_000;

export interface Verdicts {
  /** By the last look; the first one finds a project open. */
  isExhausted(project: string): boolean;
  /** To be called by whoever changes the limit in this process. */
  forget(project: string): void;
}

interface Verdict {
  exhausted: boolean;
  /** When to look again. */
  until: number;
}

export function createVerdicts(look: (project: string) => Promise<boolean>, now = Date.now): Verdicts {
  const verdicts = new LRUCache<string, Verdict>({ max: mostKept });
  const refresh = async (project: string, verdict: Verdict) => {
    const began = now();
    try {
      verdict.exhausted = await look(project);
    } catch {
      // The table is out of reach: as it was before, until the next look.
    }
    verdict.until = now() + Math.max(verdictMilliseconds, lookShare * (now() - began));
  };
  return {
    isExhausted(project) {
      let verdict = verdicts.get(project);
      if (!verdict || now() > verdict.until) {
        verdict ??= { exhausted: false, until: 0 };
        verdict.until = Number.POSITIVE_INFINITY;
        verdicts.set(project, verdict);
        void refresh(project, verdict);
      }
      return verdict.exhausted;
    },
    forget: (project) => void verdicts.delete(project),
  };
}
