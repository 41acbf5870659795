/** What is seen of a deployment, and who is told when something is wrong. */
import { Stack, type StackProps } from "aws-cdk-lib";
import { Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { Alarms, minutes } from "../constructs/alarms.ts";
import { errorRate, errors, unsent } from "../constructs/graphs.ts";
import type { Options } from "../constructs/options.ts";
import { overview, type Shown } from "../constructs/overview.ts";

export interface ObservabilityProps extends StackProps, Shown {
  options: Options;
}

/** Seconds that the oldest message may wait: for a worker to come, and for what was before it. */
const longestWait = { jobs: 3600, answers: 300, light: 3600, webhooks: 300 } as const;
type Name = keyof typeof longestWait;

export class ObservabilityStack extends Stack {
  private readonly alarms: Alarms;
  private readonly props: ObservabilityProps;

  constructor(scope: Construct, id: string, props: ObservabilityProps) {
    super(scope, id, props);
    this.props = props;
    const { stage, alarmEmail: email, monthlyBudget: dollars } = props.options;
    this.alarms = new Alarms(this, "Alarms", { email });
    this.watchQueues();
    this.watchFunctions();
    if (dollars) this.alarms.addBudget("Budget", { stage, dollars });
    new Dashboard(this, "Dashboard", { dashboardName: `millrace-${stage}`, widgets: overview(props) });
  }

  private watchQueues(): void {
    const { data } = this.props;
    for (const name of Object.keys(longestWait) as Name[]) {
      const { queue, dead } = data[name];
      this.alarms.watch(`${name}Dead`, {
        metric: dead.metricApproximateNumberOfMessagesVisible({ period: minutes(1), statistic: "Maximum" }),
        threshold: 1,
        about: `Work of the queue '${name}' was given up. Read its message and cause in the dead-letter queue, see infra/README.md.`,
      });
      this.alarms.watch(`${name}Old`, {
        metric: queue.metricApproximateAgeOfOldestMessage({ period: minutes(1), statistic: "Maximum" }),
        ...{ threshold: longestWait[name], readings: 5 },
        about: `The oldest message of '${name}' waits too long: no worker comes, or too few.`,
      });
    }
    this.alarms.watch("Stuck", {
      metric: unsent(),
      ...{ threshold: 1, readings: 3 },
      about: "Rows ask for a worker again and again: workers die at them, or messages are lost.",
    });
  }

  private watchFunctions(): void {
    const { edge, sweep, webhooks } = this.props.api;
    this.alarms.watch("ServerErrors", {
      ...{ metric: errorRate(edge), threshold: 1, readings: 3 },
      about: "One request of a hundred or more fails by our fault.",
    });
    for (const [name, { function: code }] of Object.entries({ ...edge.functions, sweep, webhooks })) {
      const about = `The function '${name}' ends without an answer: out of time or memory, or it does not start. Read its log.`;
      this.alarms.watch(`${name}Errors`, { metric: errors(code), threshold: 3, about });
    }
    for (const [name, { function: code }] of Object.entries(edge.functions)) {
      const about = `Lambda turns requests to '${name}' away: the account's concurrency is used up.`;
      this.alarms.watch(`${name}Throttled`, {
        metric: code.metricThrottles({ period: minutes(1) }),
        threshold: 1,
        about,
      });
    }
  }
}
