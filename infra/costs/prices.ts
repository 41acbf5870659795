/** What AWS charges for what is there, used or not: figures with where they come from, for an operator to replace. */
import { type Input, inputs } from "../../shared/fleet/inputs.ts";

const cited = (value: number, about: string, date: string): Input => ({ value, about, date });
const assumed = (value: number, about: string): Input => ({ value, about, date: null });

const monthHours = 730;

/** US dollars of us-east-1; of what is charged by the hour, for a month of 730. Free tiers are not taken off. */
export const prices = {
  key: cited(1, "a KMS key: factualminds.com, KMS pricing", "2026-06"),
  secret: cited(0.4, "a secret: hivebook.wiki, AWS Secrets Manager", "2026-11-23"),
  webAcl: cited(5, "a web ACL: awsnegotiations.com, WAF pricing strategy; c3x.dev says the same", "2026"),
  webAclRule: cited(1, "a rule of it: likewise", "2026"),
  dashboard: cited(3, "a dashboard, where three others are there: factualminds.com, CloudWatch pricing", "2026-06-13"),
  alarmMetric: cited(0.1, "a metric that an alarm reads: c3x.dev, CloudWatch alarms", "2026-11-23"),
  metric: cited(0.3, "a metric that is told all month: signoz.io, CloudWatch pricing", "2026-02-15"),
  endpoint: cited(0.01 * monthHours, "an interface endpoint in a zone: dev.to, Cloud networking costs", "2026-11-23"),
  nat: cited(0.045 * monthHours, "a NAT gateway: likewise", "2026-11-23"),
  address: cited(0.005 * monthHours, "a public IPv4 address: likewise", "2026-11-23"),
  balancer: cited(0.0225 * monthHours, "a load balancer: calculator.city, AWS ALB cost calculator", "2026-11-23"),
  fargateVcpu: { ...inputs.fargateVcpuDollarsPerHour, value: inputs.fargateVcpuDollarsPerHour.value * monthHours },
  fargateGigabyte: {
    ...inputs.fargateGigabyteDollarsPerHour,
    value: inputs.fargateGigabyteDollarsPerHour.value * monthHours,
  },
  warmGigabyte: {
    ...inputs.provisionedDollarsPerGigabyteSecond,
    value: inputs.provisionedDollarsPerGigabyteSecond.value * monthHours * 3600,
  },
  gigabyteSecond: inputs.lambdaDollarsPerGigabyteSecond,
  millionCalls: inputs.lambdaDollarsPerMillion,
  millionMessages: cited(0.4, "a million requests of SQS: cloudburn.io, SQS pricing", "2026-03-14"),
  millionReads: cited(0.25, "a million reads of DynamoDB: factualminds.com, DynamoDB pricing", "2026-11-23"),
} as const satisfies Record<string, Input>;

/** What nobody has measured. */
export const guesses = {
  sweepSeconds: assumed(0.5, "of a sweep that finds nothing"),
  sweepReads: assumed(15, "units of it: half a one for each query of an index that is empty"),
  pollsAMinute: assumed(15, "of a queue by Lambda: five that ask every 20 seconds"),
  serviceMetrics: assumed(5, "of Container Insights for a service without tasks"),
  clusterMetrics: assumed(3, "of Container Insights for a cluster"),
} as const satisfies Record<string, Input>;
