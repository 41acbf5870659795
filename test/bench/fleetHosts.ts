/** Hosts of one task each: launched, kept for a while without one, reclaimed where they are spot, billed by the second. */
import type { ComputeClass } from "../../shared/fleet/inputs.ts";
import type { Random } from "../../shared/statistics/random.ts";
import { exponential } from "./fleetArrivals.ts";
import type { Arranged, Clock } from "./fleetClock.ts";

export interface Tenant {
  /** The host is up. */
  placed(): void;
  /** The host will be gone after the notice; without one it is gone. */
  reclaimed(noticed: boolean): void;
}

export interface Host {
  readonly spot: boolean;
  readonly launchedAt: number;
  endedAt: number | undefined;
  tenant: Tenant | undefined;
  /** Reclaimed: no task may go there any more. */
  draining: boolean;
  /** What ends it, or makes it ready. */
  arranged: Arranged | undefined;
  /** When its capacity is wanted back. */
  reclaim: Arranged | undefined;
}

export interface Hazards {
  readonly reclaimsPerHour: number;
  readonly unnoticedShare: number;
  readonly noticeSeconds: number;
  readonly retrySeconds: number;
}

export interface Storm {
  readonly at: number;
  /** Of spot hosts that are reclaimed when it begins; as long as it lasts there are no new ones. */
  readonly share: number;
  readonly seconds: number;
}

export class Hosts {
  /** All that ever were. */
  readonly all: Host[] = [];
  /** Host seconds so far, counted as they pass. */
  #alive = 0;
  #passed = 0;
  #count = 0;
  #noSpotUntil = Number.NEGATIVE_INFINITY;
  readonly #idle = new Set<Host>();
  readonly #hostOf = new Map<Tenant, Host>();
  readonly #waiting = new Map<Tenant, Arranged>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #hazards: Hazards;
  readonly #compute: ComputeClass;

  constructor(clock: Clock, random: Random, compute: ComputeClass, hazards: Hazards, storms: readonly Storm[]) {
    this.#clock = clock;
    this.#random = random;
    this.#compute = compute;
    this.#hazards = hazards;
    for (const storm of storms) clock.at(storm.at, () => this.#storm(storm));
  }

  /** A host for a task: one that is idle, else a new one, as soon as there is capacity. `warm`: it is up at once. */
  place(tenant: Tenant, spot: boolean, warm = false): void {
    const idle = [...this.#idle].find((host) => host.spot === spot);
    if (idle) {
      this.#idle.delete(idle);
      this.#let(idle, tenant, 0);
    } else if (spot && this.#clock.now < this.#noSpotUntil) {
      const again = this.#clock.after(this.#hazards.retrySeconds, () => this.place(tenant, spot));
      this.#waiting.set(tenant, again);
    } else {
      this.#let(this.#launch(spot), tenant, warm ? 0 : this.#compute.hostSeconds);
    }
  }

  /** Of a task that is no more, or never will be. */
  leave(tenant: Tenant): void {
    this.#waiting.get(tenant)?.cancel();
    this.#waiting.delete(tenant);
    const host = this.#hostOf.get(tenant);
    this.#hostOf.delete(tenant);
    if (!host || host.endedAt !== undefined) return;
    host.tenant = undefined;
    if (host.draining) return;
    host.arranged?.cancel();
    this.#idle.add(host);
    host.arranged = this.#clock.after(this.#compute.idleHostSeconds, () => this.#end(host));
  }

  /** Seconds that hosts were up, up to now. */
  get aliveSeconds(): number {
    return this.#alive + this.#count * (this.#clock.now - this.#passed);
  }

  /** How many are up, those that are leaving included. */
  get up(): number {
    return this.#count;
  }

  /** Ends what is still up. */
  close(): void {
    for (const host of this.all) this.#end(host);
  }

  #launch(spot: boolean): Host {
    const host: Host = {
      ...{ spot, launchedAt: this.#clock.now, endedAt: undefined, tenant: undefined, draining: false },
      ...{ arranged: undefined, reclaim: undefined },
    };
    const { reclaimsPerHour } = this.#hazards;
    if (spot && reclaimsPerHour > 0) {
      const seconds = exponential(this.#random, reclaimsPerHour / 3600);
      host.reclaim = this.#clock.after(seconds, () => this.#reclaim(host));
    }
    this.all.push(host);
    this.#pass(1);
    return host;
  }

  #let(host: Host, tenant: Tenant, seconds: number): void {
    this.#waiting.delete(tenant);
    host.arranged?.cancel();
    host.tenant = tenant;
    this.#hostOf.set(tenant, host);
    host.arranged = this.#clock.after(seconds, () => tenant.placed());
  }

  #reclaim(host: Host): void {
    if (host.draining) return;
    host.draining = true;
    host.reclaim?.cancel();
    host.arranged?.cancel();
    this.#idle.delete(host);
    const noticed = this.#random.uniform() >= this.#hazards.unnoticedShare;
    if (noticed) host.arranged = this.#clock.after(this.#hazards.noticeSeconds, () => this.#end(host));
    else this.#end(host);
    host.tenant?.reclaimed(noticed);
  }

  #storm({ share, seconds }: Storm): void {
    this.#noSpotUntil = Math.max(this.#noSpotUntil, this.#clock.now + seconds);
    const up = this.all.filter(({ spot, endedAt }) => spot && endedAt === undefined);
    for (const host of up) if (this.#random.uniform() < share) this.#reclaim(host);
  }

  #end(host: Host): void {
    if (host.endedAt !== undefined) return;
    host.endedAt = this.#clock.now;
    host.arranged?.cancel();
    host.reclaim?.cancel();
    this.#idle.delete(host);
    this.#pass(-1);
  }

  #pass(change: number): void {
    this.#alive += this.#count * (this.#clock.now - this.#passed);
    this.#passed = this.#clock.now;
    this.#count += change;
  }
}
