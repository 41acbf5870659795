/** Memory of this process and of its device processes, and how it changes. */
import { execFileSync } from "node:child_process";

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

/** Of the line nearest to some points, by least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return covariance / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
