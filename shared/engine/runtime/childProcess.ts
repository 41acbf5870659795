/** What holds between a process and the processes it runs sessions in. */
import type { ChildProcess } from "node:child_process";

/** Says how the child ended, once or more. */
export function whenEnded(child: ChildProcess, tell: (how: string) => void): void {
  child.on("error", (error) => tell(`could not be reached: ${error.message}`));
  child.on("exit", (code, signal) => tell(signal ? `was killed by ${signal}` : `ended with code ${code}`));
}

/** To be called in the child. Orphans must not outlive their parent; signals for the group are the parent's to handle. */
export function endWithParent(): void {
  process.on("disconnect", () => process.exit());
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
}
