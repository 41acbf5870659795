/** What this process and its device processes take of memory and of the processors, and how that changes. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { median } from "./timing.ts";

/** Resident sets in MiB. */
export interface Resident {
  readonly here: number;
  readonly devices: number;
}

export function residentSets(): Resident {
  const all = processes();
  const sum = (found: readonly Found[]) => found.reduce((sum, { mebibytes }) => sum + mebibytes, 0);
  return {
    here: sum(all.filter(({ pid }) => pid === process.pid)),
    devices: sum(all.filter(({ isDevice }) => isDevice)),
  };
}

/** The resident sets of all, in MiB. */
export function residentMebibytes(): number {
  const { here, devices } = residentSets();
  return here + devices;
}

interface Found {
  readonly pid: number;
  readonly mebibytes: number;
  /** Of this process. */
  readonly isDevice: boolean;
}

function processes(): Found[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss=,args="], { encoding: "utf8" }).trim().split("\n");
  return rows.map((row) => {
    const [pid, parent, kibibytes, ...command] = row.trim().split(/\s+/);
    const isDevice = Number(parent) === process.pid && command.some((part) => part.includes("deviceProcess"));
    return { pid: Number(pid), mebibytes: Number(kibibytes) / 1024, isDevice };
  });
}

/** Processor time in milliseconds. */
export interface ProcessorTime {
  readonly here: number;
  /** NaN where the system does not say. */
  readonly devices: number;
}

export function processorTime(): ProcessorTime {
  const { user, system } = process.cpuUsage();
  const devices = processes().filter(({ isDevice }) => isDevice);
  return { here: (user + system) / 1000, devices: devices.reduce((sum, { pid }) => sum + timeOf(pid), 0) };
}

/** Linux counts in hundredths of a second, user and system in the 14th and 15th field; a name may hold spaces. */
function timeOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return Number.NaN;
  }
}

/**
 * Of a line through points, the median of the slopes between any two of them (Theil 1950): what a collection of garbage
 * gives back once, it does not count.
 */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  return median(points.flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x))));
}
