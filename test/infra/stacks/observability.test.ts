/** What graphs and alarms look for is told by somebody under that name, and what is told is looked at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sweepMetrics, sweepService } from "../../../infra/functions/metricNames.ts";
import { createMetrics, metrics as known, type MetricName } from "../../../shared/telemetry/metrics.ts";
import { type Properties, type Synthesised, synthesise } from "../../support/stacks.ts";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/x";
const deployments = {
  "as it is": synthesise(),
  "in containers, without GPUs": synthesise({ edge: "container", certificateArn, gpuInstances: "none" }),
};

interface Seen {
  namespace: string;
  name: string;
  dimensions: string[];
  /** Undefined for those that a search finds. */
  service?: string | undefined;
}

/** What AWS itself measures, by the metrics' pages of each service's guide; ECS by the page of Container Insights. */
const aws: Record<string, readonly string[]> = {
  "AWS/ApiGateway": ["Count", "4XXError", "5XXError", "Latency"],
  "AWS/ApplicationELB": [
    ...["RequestCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"],
    "TargetResponseTime",
  ],
  "AWS/Lambda": ["Errors", "Throttles", "ConcurrentExecutions"],
  "AWS/SQS": [
    ...["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"],
    "ApproximateAgeOfOldestMessage",
  ],
  "ECS/ContainerInsights": ["RunningTaskCount", "DesiredTaskCount", "CpuUtilized", "MemoryUtilized"],
};

/** Templates' text, with something for each name that only a deployment knows. */
const asText = (value: Properties): string =>
  value["Fn::Join"]?.[1].map((part: Properties) => (typeof part === "string" ? part : "token")).join("") ?? value;

const searched = (expression: string): Seen[] =>
  [...expression.matchAll(/SEARCH\('\{([^}]+)\} MetricName="(\w+)"'/g)].map(([, schema, name]) => {
    const [namespace, ...dimensions] = schema!.split(",");
    return { namespace: namespace!, name: name!, dimensions };
  });

const named = (namespace: string, name: string, values: Record<string, string>): Seen => ({
  ...{ namespace, name, dimensions: Object.keys(values), service: values.service },
});

function onDashboard({ ofType }: Synthesised): Seen[] {
  const [dashboard] = ofType("AWS::CloudWatch::Dashboard");
  const { widgets } = JSON.parse(asText(dashboard!.Properties.DashboardBody));
  return widgets.flatMap(({ properties }: Properties) =>
    (properties.metrics ?? []).flatMap((line: Properties[]) => {
      const words = line.filter((word) => typeof word === "string");
      const [namespace, name, ...pairs] = words;
      if (!name) return searched(line[0].expression);
      const entries = pairs.flatMap((key, i) => (i % 2 ? [] : [[key, pairs[i + 1]]]));
      return [named(String(namespace), name, Object.fromEntries(entries))];
    }),
  );
}

function inAlarms({ ofType }: Synthesised): Seen[] {
  const of = ({ Namespace, MetricName, Dimensions = [] }: Properties) =>
    named(Namespace, MetricName, Object.fromEntries(Dimensions.map(({ Name, Value }: Properties) => [Name, Value])));
  return ofType("AWS::CloudWatch::Alarm").flatMap(({ Properties: alarm }) =>
    alarm.Metrics
      ? alarm.Metrics.flatMap(({ MetricStat }: Properties) => (MetricStat ? [of(MetricStat.Metric)] : []))
      : [of(alarm)],
  );
}

/** Dimensions by metric, as API and workers write them. */
function told(): Map<string, readonly string[]> {
  const dimensions = new Map<string, readonly string[]>(Object.entries(sweepMetrics));
  const write = (line: string) => {
    const [{ Dimensions, Metrics }] = JSON.parse(line)._aws.CloudWatchMetrics;
    dimensions.set(Metrics[0].Name, Dimensions[0]);
  };
  const metrics = createMetrics({ service: "api", write });
  for (const name of Object.keys(known) as MetricName[]) metrics.add(name, "x");
  metrics.stop();
  return dimensions;
}

/** By the agent's configuration, with no dimension left: `nvidia_smi_` and the measurement. */
function measuredOnInstances({ ofType }: Synthesised): Set<string> {
  const configured = ofType("AWS::EC2::LaunchTemplate").map(({ Properties }) => {
    const script = asText(Properties.LaunchTemplateData.UserData["Fn::Base64"]);
    return JSON.parse(/echo '(\{.*\})'/.exec(script)![1]!).metrics;
  });
  for (const { namespace, aggregation_dimensions } of configured) {
    assert.deepEqual([namespace, aggregation_dimensions], ["Millrace/GPU", [[]]]);
  }
  const names = configured.flatMap(({ metrics_collected }) => metrics_collected.nvidia_gpu.measurement as string[]);
  return new Set(names.map((name) => `nvidia_smi_${name}`));
}

for (const [choice, deployment] of Object.entries(deployments)) {
  const seen = [...onDashboard(deployment), ...inAlarms(deployment)];

  test(`${choice}: what graphs and alarms look for is measured by AWS, or told by us`, () => {
    const ours = told();
    const gpus = measuredOnInstances(deployment);
    assert.ok(seen.length > 30);
    for (const { namespace, name, dimensions, service } of seen) {
      if (namespace === "Millrace") {
        assert.deepEqual([...dimensions].sort(), [...(ours.get(name) ?? [])].sort(), name);
        const tellers = name in sweepMetrics ? [sweepService] : ["api", "worker"];
        assert.ok(service === undefined || tellers.includes(service), `${service} does not tell ${name}`);
      } else if (namespace === "Millrace/GPU") {
        assert.ok(gpus.has(name) && dimensions.length === 0, `${name} is on no instance`);
      } else assert.ok(aws[namespace]?.includes(name), `${namespace} ${name}`);
    }
  });

  test(`${choice}: what is told is looked at`, () => {
    const names = new Set(seen.map(({ name }) => name));
    const all = [...told().keys(), ...measuredOnInstances(deployment)];
    assert.deepEqual(
      all.filter((name) => !names.has(name)),
      [],
    );
  });
}

test("rows without a message, the budget and a 5xx rate each end with whoever is on call", () => {
  const { ofType } = deployments["as it is"];
  const alarms = ofType("AWS::CloudWatch::Alarm").filter(({ Properties: { AlarmActions } }) => AlarmActions?.length);
  const asks = (about: string) => alarms.some(({ Properties }) => JSON.stringify(Properties).includes(about));
  assert.ok(asks(`"Dimensions":[{"Name":"service","Value":"${sweepService}"}],"MetricName":"RowsWithoutMessage"`));
  assert.ok(asks('"MetricName":"5XXError"'));
  const [topic] = ofType("AWS::SNS::Topic");
  const told = (resource: Properties) => JSON.stringify(resource).includes(`"${topic!.id}"`);
  for (const { id, Properties } of alarms) {
    if (/^Alarms/.test(id)) assert.ok(told(Properties.AlarmActions), id);
  }
  const [budget] = ofType("AWS::Budgets::Budget");
  const { Budget, NotificationsWithSubscribers } = budget!.Properties;
  assert.deepEqual(Budget.CostFilters, { TagKeyValue: ["user:stage$dev"] });
  assert.ok(NotificationsWithSubscribers.every(({ Subscribers }: Properties) => told(Subscribers)));
  const [policy] = ofType("AWS::SNS::TopicPolicy");
  const statements: Properties[] = policy!.Properties.PolicyDocument.Statement;
  const allowed = statements.filter(({ Effect, Action }) => Effect === "Allow" && Action === "sns:Publish");
  const tellers = allowed.flatMap(({ Principal: { Service } }) => Service);
  assert.deepEqual(tellers.sort(), ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]);
});

test("the cost of projects is asked of the logs of all that tell it", () => {
  const [dashboard] = deployments["as it is"].ofType("AWS::CloudWatch::Dashboard");
  const body = JSON.stringify(dashboard!.Properties.DashboardBody);
  for (const log of ["EdgeLightLog", "EdgeModelsLog", "GpuTaskLog", "CpuTaskLog"]) assert.ok(body.includes(log), log);
  assert.match(body, /stats sum\(Cost\) as cost by project_id/);
});
