/** What cdk-nag says and is not followed, each with its reason. */
import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** `findings`: reasons by the rule without its pack, such as `S1` or `IAM5[Resource::*]`. */
export function acknowledge(construct: IConstruct, findings: Record<string, string>): void {
  for (const [finding, reason] of Object.entries(findings)) {
    Validations.of(construct).acknowledge({ id: `AwsSolutions-${finding}`, reason });
  }
}
