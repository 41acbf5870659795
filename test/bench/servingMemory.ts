/** Memory of this process and of its device processes, and how it changes. */
import { execFileSync } from "node:child_process";
import { median } from "./timing.ts";

/** The resident sets of both, in MiB. */
export function residentMebibytes(): number {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss=,args="], { encoding: "utf8" }).trim().split("\n");
  const sets = rows.map((row) => {
    const [pid, parent, kibibytes, ...command] = row.trim().split(/\s+/);
    const isDevice = Number(parent) === process.pid && command.some((part) => part.includes("deviceProcess"));
    return Number(pid) === process.pid || isDevice ? Number(kibibytes) / 1024 : 0;
  });
  return sets.reduce((sum, mebibytes) => sum + mebibytes, 0);
}

/**
 * Of a line through points, the median of the slopes between any two of them (Theil 1950): what a collection of garbage
 * gives back once, it does not count.
 */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  return median(points.flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x))));
}
