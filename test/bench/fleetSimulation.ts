/** A queue and its fleet over simulated time: arrivals, one-minute readings, the scaling rule, and what all of it cost. */
import { type ComputeClass, inputs } from "../../shared/fleet/inputs.ts";
import {
  checkPolicy,
  type FleetPolicy,
  readingSeconds,
  scaleOnDemand,
  scaleSpot,
  unscaled,
} from "../../shared/fleet/policy.ts";
import { randomOf } from "../../shared/statistics/random.ts";
import { Clock } from "./fleetClock.ts";
import { type Hazards, type Host, Hosts, type Storm } from "./fleetHosts.ts";
import { type Job, JobQueue, newJob, type QueueOptions } from "./fleetQueue.ts";
import { Service, type WorkerTimes } from "./fleetService.ts";

export interface Arrival {
  readonly at: number;
  /** Of a worker's time. */
  readonly seconds: number;
}

export interface Setting {
  readonly policy: FleetPolicy;
  readonly compute: ComputeClass;
  readonly arrivals: readonly Arrival[];
  /** Billed for at least; longer where jobs or hosts still are. */
  readonly horizonSeconds: number;
  readonly storms: readonly Storm[];
  readonly seed: number;
  /** False: all on demand, without a fall-back. */
  readonly spot: boolean;
  /** Whether something calls the queue at least every six hours, so that its metrics never stop. */
  readonly keepsActive: boolean;
  readonly hazards: Hazards;
  readonly queue: QueueOptions;
  readonly times: Omit<WorkerTimes, "startSeconds">;
}

/** As the configuration of workers and the table of inputs have it. */
export const usual: Pick<Setting, "hazards" | "queue" | "times"> = {
  hazards: {
    reclaimsPerHour: inputs.reclaimsPerHour.value,
    unnoticedShare: inputs.unnoticedShare.value,
    noticeSeconds: inputs.spotNoticeSeconds.value,
    retrySeconds: inputs.retrySpotSeconds.value,
  },
  queue: { visibilitySeconds: 30, maxAttempts: 3 },
  times: {
    checkpointEverySeconds: 60,
    checkpointSeconds: inputs.checkpointSeconds.value,
    resumeSeconds: inputs.resumeSeconds.value,
  },
};

export interface Outcome {
  readonly jobs: readonly Job[];
  readonly hosts: readonly Host[];
  readonly endedAt: number;
  readonly aliveSeconds: number;
  readonly spotPeak: number;
  readonly onDemandPeak: number;
  /** Since when both services were told to run no more than the minimum, where they are. */
  readonly scaledInAt: number;
}

/** After the horizon nothing takes so long but a fleet that does not do its work. */
const patienceSeconds = 30 * 24 * 3600;

export function simulate(setting: Setting): Outcome {
  checkPolicy(setting.policy);
  const clock = new Clock();
  const random = randomOf(setting.seed, 30);
  const queue = new JobQueue(clock, setting.queue);
  const hosts = new Hosts(clock, random, setting.compute, setting.hazards, setting.storms);
  const times = { ...setting.times, startSeconds: setting.compute.startSeconds };
  const spot = new Service(clock, queue, hosts, times, setting.spot);
  const onDemand = new Service(clock, queue, hosts, times, false);
  spot.tell(setting.policy.minTasks, true);
  for (const { at, seconds } of setting.arrivals) clock.at(at, () => queue.send(newJob(at, seconds)));
  const scaler = scale(setting, clock, { queue, spot, onDemand });

  const { minTasks } = setting.policy;
  const done = () => queue.jobs.length === setting.arrivals.length && queue.jobs.every(({ ends }) => ends > 0);
  const atRest = () => spot.tasks + onDemand.tasks <= minTasks && hosts.up <= minTasks;
  // Looked at once a reading, as it takes a look at every job.
  let resting = false;
  const look = () => {
    resting = clock.now >= setting.horizonSeconds && atRest() && done();
    if (!resting) clock.after(readingSeconds, look);
  };
  look();
  clock.run(() => !resting);
  hosts.close();
  return {
    ...{ jobs: queue.jobs, hosts: hosts.all, endedAt: clock.now, aliveSeconds: hosts.aliveSeconds },
    ...{ spotPeak: spot.peak, onDemandPeak: onDemand.peak, scaledInAt: scaler.scaledInAt },
  };
}

interface Scene {
  readonly queue: JobQueue;
  readonly spot: Service;
  readonly onDemand: Service;
}

/** Reads the queue each minute and has the services told what the policy makes of it, a metric's delay later. */
function scale(setting: Setting, clock: Clock, { queue, spot, onDemand }: Scene) {
  const { policy } = setting;
  const readMessages = reading(setting, clock, queue);
  let spotRule = unscaled(policy.minTasks);
  let onDemandRule = unscaled(0);
  const missing: number[] = [];
  const told = { scaledInAt: 0 };
  const read = () => {
    if (clock.now > setting.horizonSeconds + patienceSeconds) throw new Error("the fleet does not come to its end");
    const messages = readMessages();
    missing.push(spot.desired - spot.running);
    if (missing.length > policy.fallbackPeriods) missing.shift();
    const lacking = [...missing];
    clock.after(readingSeconds, read);
    clock.after(inputs.metricDelaySeconds.value, () => {
      const before = spotRule.tasks + onDemandRule.tasks;
      spotRule = scaleSpot(policy, spotRule, clock.now, messages);
      if (setting.spot) onDemandRule = scaleOnDemand(policy, onDemandRule, clock.now, lacking);
      if (spotRule.tasks !== spot.desired) spot.tell(spotRule.tasks);
      if (onDemandRule.tasks !== onDemand.desired) onDemand.tell(onDemandRule.tasks);
      const after = spotRule.tasks + onDemandRule.tasks;
      if (after < before && after <= policy.minTasks) told.scaledInAt = clock.now;
    });
  };
  if (policy.minTasks < policy.taskSteps.at(-1)!) read();
  return told;
}

/** What the metrics say of the queue now: nothing after hours without a call, and for a while after those. */
function reading({ keepsActive, seed }: Setting, clock: Clock, queue: JobQueue): () => number {
  const random = randomOf(seed, 31);
  let [blindUntil, lastActive] = [Number.NEGATIVE_INFINITY, 0];
  return () => {
    if (keepsActive || queue.polled) return queue.messages;
    const active = Math.max(queue.activeAt, 0);
    if (active - lastActive > inputs.inactiveQueueSeconds.value) {
      blindUntil = active + random.uniform() * inputs.activationSeconds.value;
    }
    lastActive = active;
    return clock.now < blindUntil ? 0 : queue.messages;
  };
}
