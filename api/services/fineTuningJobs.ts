/** Fine-tuning jobs as a client sees them: asked for, listed, stopped and started. The work is the workers'. */
import type { WaitingLine } from "../../shared/budget/waiting.ts";
import { notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type { JobState } from "../../shared/jobStates.ts";
import type { Checkpoint } from "../../shared/schemas/checkpoint.ts";
import type { JobRecord, Place } from "../../shared/schemas/fineTuningJob.ts";
import type { JobEvent } from "../../shared/schemas/jobEvent.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import { type Change, changes, decide } from "./jobChanges.ts";
import type { JobCreation } from "./jobCreation.ts";
import type { Prefetch } from "./prefetch.ts";

export interface Paging {
  limit: number;
  after?: string;
}

export type PlacedJob = JobRecord & Place;

export interface FineTuningService extends Pick<JobCreation, "quote"> {
  create(...args: Parameters<JobCreation["create"]>): Promise<PlacedJob>;
  get(project: Project, id: string): Promise<PlacedJob>;
  list(project: Project, query: Paging & { metadata?: Record<string, string> | null }): Promise<Page<PlacedJob>>;
  events(project: Project, id: string, query: Paging): Promise<Page<JobEvent>>;
  checkpoints(project: Project, id: string, query: Paging): Promise<Page<Checkpoint>>;
  change(project: Project, id: string, change: Change): Promise<PlacedJob>;
}

export function createFineTuningService(
  stores: Pick<Stores, "jobs" | "events" | "checkpoints">,
  creation: JobCreation,
  delivery: Delivery<JobRecord>,
  prefetch: Prefetch,
  line: Pick<WaitingLine, "turnOf">,
): FineTuningService {
  /** With its place in the queue, where it has one. */
  const placed = async (job: JobRecord): Promise<PlacedJob> => {
    if (job.lease !== null || !isWaiting(job)) return { ...job, queue_position: null, estimated_start: null };
    const turn = await line.turnOf(job);
    return { ...job, queue_position: turn.position, estimated_start: Math.ceil(Date.now() / 1000 + turn.seconds) };
  };
  const get = async (project: Project, id: string): Promise<JobRecord> => {
    const job = isId("job", id) ? await stores.jobs.get(project.id, id) : undefined;
    if (!job) throw notFound("fine-tuning job", id);
    return job;
  };

  return {
    async get(project, id) {
      const job = await get(project, id);
      prefetch.ofJob(job);
      return placed(job);
    },
    create: async (project, request, attempt) => placed(await creation.create(project, request, attempt)),
    quote: creation.quote,
    async list(project, query) {
      const page = toPage(await stores.jobs.list(project.id, { ...query, limit: query.limit + 1 }), query.limit);
      return { ...page, data: await Promise.all(page.data.map(placed)) };
    },
    async events(project, id, query) {
      const job = await get(project, id);
      return toPage(await stores.events.list(job, { ...query, limit: query.limit + 1 }), query.limit);
    },
    async checkpoints(project, id, query) {
      const job = await get(project, id);
      return toPage(await stores.checkpoints.list(job, { ...query, limit: query.limit + 1 }), query.limit);
    },
    /** A worker may move the job meanwhile: whoever loses the race looks again and decides anew. */
    async change(project, id, change) {
      for (;;) {
        const job = await get(project, id);
        const to: JobState | undefined = decide(job, change);
        if (to === undefined) return placed(job);
        const event = { level: "info" as const, message: changes[change].event };
        if (!(await stores.jobs.transition(job, to, event, { from: [job.status] }))) continue;
        if (change === "resume") await delivery.send(job);
        return placed(await get(project, id));
      }
    },
  };
}

const isWaiting = ({ status }: JobRecord) => status === "validating_files" || status === "queued";
