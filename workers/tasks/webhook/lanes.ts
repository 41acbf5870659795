/**
 * Deliveries under way in this process, one lane an endpoint. Lanes hold no consumer: an endpoint that is slow to answer keeps
 * nobody else from being served, and a project with many of them takes no more than its share.
 */
export interface Lanes {
  /** Begins the work, which must not throw, unless there is no room; it goes on behind the caller's back. */
  open(project: string, work: () => Promise<void>): boolean;
  /** When nothing is under way any more. */
  idle(): Promise<void>;
}

/** An attempt costs a socket and no arithmetic. */
export const usualLanes = { total: 256, perProject: 8 };

export function createLanes({ total, perProject } = usualLanes): Lanes {
  const open = new Map<string, Set<Promise<void>>>();
  const all = () => [...open.values()].flatMap((lanes) => [...lanes]);
  return {
    open(project, work) {
      const own = open.get(project) ?? new Set();
      if (own.size >= perProject || all().length >= total) return false;
      open.set(project, own);
      const lane = work().finally(() => {
        own.delete(lane);
        if (own.size === 0) open.delete(project);
      });
      own.add(lane);
      return true;
    },
    async idle() {
      while (open.size > 0) await Promise.allSettled(all());
    },
  };
}
