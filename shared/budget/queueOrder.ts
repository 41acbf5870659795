/** In which order workers come to what waits: of the project that has least at work first, then of the one least worked for. */

export interface QueuedWork {
  project_id: string;
  id: string;
  /** Whether a worker has it. */
  is_running: boolean;
  /** It is expected to take, or to take still. */
  seconds: number;
}

export interface Turn {
  /** 1: the next to begin. */
  position: number;
  /** Seconds from now. */
  seconds: number;
}

interface Line {
  waiting: QueuedWork[];
  running: number;
  worked: number;
}

/** Of what waits, by id; `queue` is oldest first. As many workers are counted as are at work, and one at least. */
export function turnsOf(queue: readonly QueuedWork[]): Map<string, Turn> {
  const lines = new Map<string, Line>();
  const ends: { at: number; line: Line }[] = [];
  for (const work of queue) {
    const line = lines.get(work.project_id) ?? { waiting: [], running: 0, worked: 0 };
    lines.set(work.project_id, line);
    if (!work.is_running) line.waiting.push(work);
    else {
      line.running++;
      line.worked += work.seconds;
      ends.push({ at: work.seconds, line });
    }
  }
  const turns = new Map<string, Turn>();
  let idle = ends.length === 0 ? 1 : 0;
  let now = 0;
  for (;;) {
    const open = [...lines.values()].filter(({ waiting }) => waiting.length);
    if (open.length === 0) return turns;
    if (!idle) {
      const next = ends.reduce((first, end) => (end.at < first.at ? end : first));
      ends.splice(ends.indexOf(next), 1);
      next.line.running--;
      now = Math.max(now, next.at);
    }
    idle = 0;
    const line = open.reduce((first, each) => (goesBefore(each, first) ? each : first));
    const work = line.waiting.shift()!;
    turns.set(work.id, { position: turns.size + 1, seconds: now });
    line.running++;
    line.worked += work.seconds;
    ends.push({ at: now + work.seconds, line });
  }
}

function goesBefore(a: Line, b: Line): boolean {
  return a.running < b.running || (a.running === b.running && a.worked < b.worked);
}
