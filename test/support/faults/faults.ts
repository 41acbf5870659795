/** What may befall a call to the cloud, and which calls it befalls: drawn by seed, so that a run can be told again. */
import { philox } from "../../../shared/engine/random.ts";

export const services = ["s3", "sqs", "dynamodb"] as const;
export type Service = (typeof services)[number];

export const faultKinds = [
  /** Refused with a 500 or 503 before anything was done, or after all was. */
  "error_before",
  "error_after",
  "throttle",
  /** The connection is cut without an answer. */
  "cut_before",
  "cut_after",
  /** Done late, by up to three seconds. */
  "delay",
  /** Never answered; half of them are done. */
  "hang",
  /** The answer's body comes slowly, or breaks off in the middle. */
  "slow_body",
  "cut_body",
  /** A message is there twice, behind later ones, or late. */
  "duplicate",
  "reorder",
  "late",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Call {
  service: Service;
  /** Such as `PutItem`, `SendMessage`, or S3's HTTP method. */
  operation: string;
}

export interface Fault {
  kind: FaultKind;
  /** From 0 to less than 1: how long, how late, which form. */
  measure: number;
}

interface Chance {
  weight: number;
  befalls?(call: Call): boolean;
}

const isSend = ({ operation }: Call) => operation === "SendMessage";
const hasBody = ({ service, operation }: Call) => service === "s3" && operation === "GET";

const chances: Record<FaultKind, Chance> = {
  error_before: { weight: 3 },
  error_after: { weight: 3 },
  throttle: { weight: 3 },
  cut_before: { weight: 2 },
  cut_after: { weight: 3 },
  delay: { weight: 3 },
  hang: { weight: 0.3 },
  slow_body: { weight: 5, befalls: hasBody },
  cut_body: { weight: 6, befalls: hasBody },
  duplicate: { weight: 6, befalls: isSend },
  reorder: { weight: 5, befalls: isSend },
  late: { weight: 3, befalls: isSend },
};

export interface FaultPlan {
  /** Undefined where the call is to go its way. The n-th asking of a seed draws the same each time. */
  next(call: Call): Fault | undefined;
  /** Share of calls that something befalls, from 0 to 1. */
  share: number;
}

export function planFaults(seed: number, share: number): FaultPlan {
  let drawn = 0;
  return {
    share,
    next(call) {
      const [first, second, third] = philox([drawn++, 0, 0, 0], [seed, 0]).map((bits) => bits / 2 ** 32);
      if (first! >= this.share) return undefined;
      return { kind: pick(call, second!), measure: third! };
    },
  };
}

function pick(call: Call, drawn: number): FaultKind {
  const possible = faultKinds.filter((kind) => chances[kind].befalls?.(call) ?? true);
  let left = drawn * possible.reduce((sum, kind) => sum + chances[kind].weight, 0);
  for (const kind of possible) {
    left -= chances[kind].weight;
    if (left < 0) return kind;
  }
  return possible[0]!;
}
