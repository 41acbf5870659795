/** What the wheel gains turn by turn, what its gate lets through, and how many labels a strategy saves. */
import { gate } from "./flywheelGate.ts";
import { labels } from "./flywheelLabels.ts";
import { feedback } from "./flywheelTurns.ts";
import type { Bench, Suite } from "./suite.ts";

const parts: Record<string, (bench: Bench) => Promise<void> | void> = { gate, feedback, labels };

export const flywheel: Suite = async (bench) => {
  const { part } = bench;
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`flywheel has no part "${part}"; there are ${Object.keys(parts).join(" and ")}.`);
  }
  for (const [name, run] of Object.entries(parts)) if (part === undefined || part === name) await run(bench);
  return "done";
};
