/** The way in, whichever it is: what guards, measures and names it. */
import type { Duration } from "aws-cdk-lib";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { BundledFunction } from "./bundledFunction.ts";

export interface Edge {
  /** Ends with a slash. */
  readonly url: string;
  /** ARN of what a firewall is put before. */
  readonly door: string;
  /** Its functions by name; none where it runs in containers. */
  readonly functions: Readonly<Record<string, BundledFunction>>;
  requests(period: Duration): IMetric;
  clientErrors(period: Duration): IMetric;
  serverErrors(period: Duration): IMetric;
  milliseconds(period: Duration, statistic: string): IMetric;
}
