/** All that is examined, in order: later checks look at what earlier ones made. */
import { answers } from "./checks/answers.ts";
import { contract } from "./checks/contract.ts";
import { cost, estimate } from "./checks/cost.ts";
import { files } from "./checks/files.ts";
import { isolation } from "./checks/isolation.ts";
import { firstAnswer, latency } from "./checks/latency.ts";
import { training } from "./checks/training.ts";
import { listen, webhooks } from "./checks/webhooks.ts";
import type { Checks } from "./examine.ts";

export const checks: Checks = {
  ...contract,
  ...files,
  ...listen,
  ...estimate,
  ...training,
  ...firstAnswer,
  ...answers,
  ...isolation,
  ...latency,
  ...webhooks,
  ...cost,
};
