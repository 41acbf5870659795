/** Holds back whoever asks too often from one address, before anything is run for it. */
import { CfnWebACL, CfnWebACLAssociation } from "aws-cdk-lib/aws-wafv2";
import { Construct } from "constructs";
import { refusalBody, refusals } from "./gatewayErrors.ts";

const metric = (metricName: string) => ({ metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false });

export class Firewall extends Construct {
  private readonly acl: CfnWebACL;

  /** `addressLimit`: requests of one address within five minutes. */
  constructor(scope: Construct, id: string, { addressLimit }: { addressLimit: number }) {
    super(scope, id);
    this.acl = new CfnWebACL(this, "Acl", {
      scope: "REGIONAL",
      defaultAction: { allow: {} },
      visibilityConfig: metric("all"),
      customResponseBodies: {
        "too-many": { contentType: "APPLICATION_JSON", content: refusalBody(refusals.THROTTLED!) },
      },
      rules: [
        {
          name: "requests-of-one-address",
          priority: 0,
          statement: { rateBasedStatement: { aggregateKeyType: "IP", limit: addressLimit, evaluationWindowSec: 300 } },
          action: { block: { customResponse: { responseCode: 429, customResponseBodyKey: "too-many" } } },
          visibilityConfig: metric("requests-of-one-address"),
        },
      ],
    });
  }

  /** A stage of a REST API, or a load balancer. */
  guard(id: string, resourceArn: string): void {
    new CfnWebACLAssociation(this, id, { resourceArn, webAclArn: this.acl.attrArn });
  }
}
