/** A topic for whoever is on call, and alarms that end up there. */
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";

export interface Watched {
  metric: IMetric;
  /** Reached or passed. */
  threshold: number;
  /** Readings in a row. Default 1. */
  readings?: number;
  /** What is wrong then, and what to do about it. */
  about: string;
}

/** Who may tell the topic. */
const tellers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"].map((name) => new ServicePrincipal(name));

export class Alarms extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { email }: { email: string | undefined }) {
    super(scope, id);
    const masterKey = new Key(this, "Key", {
      description: "Millrace: alarms on their way",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.topic = new Topic(this, "Topic", { masterKey, enforceSSL: true });
    for (const teller of tellers) {
      masterKey.grantEncryptDecrypt(teller);
      this.topic.grantPublish(teller);
    }
    if (email) this.topic.addSubscription(new EmailSubscription(email));
  }

  watch(id: string, { metric, threshold, readings = 1, about }: Watched): Alarm {
    const alarm = new Alarm(this, id, {
      ...{ metric, threshold, evaluationPeriods: readings, alarmDescription: about },
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    return alarm;
  }

  /** Of what carries the deployment's tags; an account has to activate the tag `stage` for costs once. */
  addBudget(id: string, { stage, dollars }: { stage: string; dollars: number }): void {
    const tell = (notificationType: "ACTUAL" | "FORECASTED", threshold: number) => ({
      notification: { notificationType, threshold, comparisonOperator: "GREATER_THAN", thresholdType: "PERCENTAGE" },
      subscribers: [{ subscriptionType: "SNS", address: this.topic.topicArn }],
    });
    new CfnBudget(this, id, {
      budget: {
        budgetType: "COST",
        timeUnit: "MONTHLY",
        budgetLimit: { amount: dollars, unit: "USD" },
        costFilters: { TagKeyValue: [`user:stage$${stage}`] },
      },
      notificationsWithSubscribers: [tell("ACTUAL", 80), tell("FORECASTED", 100)],
    });
  }
}

export const minutes = (count: number): Duration => Duration.minutes(count);
