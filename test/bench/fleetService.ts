/** An ECS service of workers: as many tasks as it is told to run, each with one job at a time, which protects it. */
import type { Arranged, Clock } from "./fleetClock.ts";
import type { Hosts, Tenant } from "./fleetHosts.ts";
import type { Job, JobQueue } from "./fleetQueue.ts";

export interface WorkerTimes {
  readonly startSeconds: number;
  readonly checkpointEverySeconds: number;
  /** Storing a checkpoint and letting go, when told to stop. */
  readonly checkpointSeconds: number;
  readonly resumeSeconds: number;
}

type State = "placing" | "starting" | "idle" | "busy" | "stopping";

/** Those that a service would rather stop come first; one at work is not stopped. */
const stoppable: readonly State[] = ["placing", "starting", "idle"];

interface Task extends Tenant {
  state: State;
  job: Job | undefined;
  /** When its attempt at the job began. */
  begunAt: number;
  arranged: Arranged | undefined;
  stopPolling: () => void;
}

export class Service {
  desired = 0;
  /** The most tasks there were at a time, those that are told to stop apart. */
  peak = 0;
  readonly #tasks = new Set<Task>();
  readonly #clock: Clock;
  readonly #queue: JobQueue;
  readonly #hosts: Hosts;
  readonly #times: WorkerTimes;
  readonly #spot: boolean;

  constructor(clock: Clock, queue: JobQueue, hosts: Hosts, times: WorkerTimes, spot: boolean) {
    this.#clock = clock;
    this.#queue = queue;
    this.#hosts = hosts;
    this.#times = times;
    this.#spot = spot;
  }

  /** Tasks that are up, as the container service counts them. */
  get running(): number {
    return [...this.#tasks].filter(({ state }) => state !== "placing").length;
  }

  get tasks(): number {
    return this.#tasks.size;
  }

  /** `warm`: its tasks are up at once, as those of a fleet that was there before. */
  tell(desired: number, warm = false): void {
    this.desired = desired;
    for (const state of stoppable) {
      for (const task of this.#tasks) if (this.#surplus > 0 && task.state === state) this.#stop(task);
    }
    this.#fill(warm);
  }

  get #surplus(): number {
    return this.#tasks.size - this.desired;
  }

  #fill(warm = false): void {
    while (this.#tasks.size < this.desired) this.#start(warm);
    this.peak = Math.max(this.peak, this.#tasks.size);
  }

  #start(warm: boolean): void {
    const task: Task = {
      ...{ state: "placing", job: undefined, begunAt: 0, arranged: undefined, stopPolling: () => {} },
      placed: () => {
        task.state = "starting";
        task.arranged = this.#clock.after(warm ? 0 : this.#times.startSeconds, () => this.#poll(task));
      },
      reclaimed: (noticed) => this.#reclaimed(task, noticed),
    };
    this.#tasks.add(task);
    this.#hosts.place(task, this.#spot, warm);
  }

  #poll(task: Task): void {
    if (this.#surplus > 0) {
      this.#stop(task);
    } else {
      task.state = "idle";
      task.stopPolling = this.#queue.poll((job) => this.#work(task, job));
    }
  }

  #work(task: Task, job: Job): void {
    Object.assign(task, { state: "busy", job, begunAt: this.#clock.now });
    const resume = job.kept > 0 ? this.#times.resumeSeconds : 0;
    job.startedAt ??= this.#clock.now;
    task.arranged = this.#clock.after(resume + job.seconds - job.kept, () => {
      this.#queue.finish(job);
      task.job = undefined;
      this.#poll(task);
    });
  }

  /** Its place is free at once; what it still has to put down goes on beside its successor. */
  #reclaimed(task: Task, noticed: boolean): void {
    const { job, state } = task;
    if (state !== "busy") this.#stop(task);
    else {
      task.arranged?.cancel();
      this.#tasks.delete(task);
      task.state = "stopping";
      this.#keep(task, job!, noticed);
      this.#hosts.leave(task);
    }
    this.#fill();
  }

  #keep(task: Task, job: Job, noticed: boolean): void {
    const { resumeSeconds, checkpointEverySeconds, checkpointSeconds } = this.#times;
    const resumed = job.kept > 0 ? resumeSeconds : 0;
    const learned = Math.max(0, this.#clock.now - task.begunAt - resumed);
    if (noticed) {
      job.kept += learned;
      this.#clock.after(checkpointSeconds, () => this.#queue.release(job));
    } else {
      job.kept += Math.floor(learned / checkpointEverySeconds) * checkpointEverySeconds;
      this.#queue.abandon(job);
    }
  }

  #stop(task: Task): void {
    task.arranged?.cancel();
    task.stopPolling();
    this.#tasks.delete(task);
    this.#hosts.leave(task);
  }
}
