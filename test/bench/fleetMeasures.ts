/** What a simulated day comes to: how long jobs waited, and what the hosts cost. */
import { type ComputeClass, inputs } from "../../shared/fleet/inputs.ts";
import type { Host } from "./fleetHosts.ts";
import type { Outcome } from "./fleetSimulation.ts";

export interface Measures {
  readonly jobs: number;
  /** Parked, as their worker died too often. */
  readonly buried: number;
  /** Seconds from a job's arrival to the beginning of its first attempt: half, 95 and 99 of 100 waited no longer. */
  readonly wait: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Seconds from arrival to end, of 95 of 100. */
  readonly turnaround95: number;
  /** Billed, of all hosts. */
  readonly hours: number;
  readonly dollars: number;
}

export function measuresOf({ jobs, hosts }: Pick<Outcome, "jobs" | "hosts">, compute: ComputeClass): Measures {
  const waits = jobs.flatMap(({ arrivedAt, startedAt }) => (startedAt === undefined ? [] : [startedAt - arrivedAt]));
  const times = jobs.map(({ arrivedAt, endedAt }) => endedAt! - arrivedAt);
  const seconds = hosts.map(billedSeconds);
  return {
    ...{ jobs: jobs.length, buried: jobs.filter(({ buried }) => buried).length },
    wait: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), p99: quantile(waits, 0.99) },
    turnaround95: quantile(times, 0.95),
    hours: sum(seconds) / 3600,
    dollars: sum(hosts.map((host, i) => (seconds[i]! / 3600) * dollarsPerHour(host, compute))),
  };
}

/** By the second, from its launch, a minute at least. */
export function billedSeconds({ launchedAt, endedAt }: Host): number {
  return Math.max(inputs.leastBilledSeconds.value, Math.ceil(endedAt! - launchedAt));
}

function dollarsPerHour({ spot }: Host, compute: ComputeClass): number {
  return spot ? compute.spotDollarsPerHour : compute.dollarsPerHour;
}

/** The smallest value that so large a share does not exceed; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Of the same thing in several simulations. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** A table for people. */
export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n");
}
