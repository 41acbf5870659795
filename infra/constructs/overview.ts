/** What a dashboard shows of a deployment: requests, work, machines and what they cost. */
import type { Stack } from "aws-cdk-lib";
import {
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  Metric,
  TextWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { ApiStack } from "../stacks/api.ts";
import type { DataStack } from "../stacks/data.ts";
import type { WorkersStack } from "../stacks/workers.ts";
import { minutes } from "./alarms.ts";
import { gpuMetrics } from "./gpuMetrics.ts";
import { by, cost, errorRate, errors, graph, rowsByState, unsent } from "./graphs.ts";
import type { JobQueue } from "./jobQueue.ts";

export interface Shown {
  data: DataStack;
  api: ApiStack;
  workers: WorkersStack;
}

/** Rows of widgets. */
export function overview(shown: Shown): IWidget[][] {
  const text = new TextWidget({ markdown: notes, width: 24, height: 3 });
  return [requests(shown), work(shown), machines(shown), costs(shown), [text]];
}

const requests = ({ api: { edge } }: Shown) => {
  const period = minutes(1);
  const named = Object.entries(edge.functions);
  const running = named.map(([label, { function: code }]) =>
    code.metric("ConcurrentExecutions", { period, statistic: "Maximum", label }),
  );
  return [
    graph("Requests", [edge.requests(period), edge.clientErrors(period), edge.serverErrors(period)]),
    graph(
      "Milliseconds",
      ["p50", "p90", "p99"].map((statistic) => edge.milliseconds(period, statistic)),
    ),
    ...(running.length ? [graph("Functions at once", running)] : []),
    graph("Errors", [...named.map(([, { function: code }]) => errors(code)), errorRate(edge)]),
    graph("Requests by path", [by("Requests", { statistic: "Sum", minutes: 5 })]),
    graph("Milliseconds by path, p90", [by("Latency", { statistic: "p90", minutes: 5 })]),
    graph("Refused by path", [by("Refusals", { statistic: "Sum", minutes: 5 })]),
    graph("Failed by path", [by("Errors", { statistic: "Sum", minutes: 5 })]),
  ];
};

const work = ({ data: { jobs, answers, light, webhooks } }: Shown) => {
  const named = Object.entries({ jobs, answers, light, webhooks });
  const of = (read: (queue: JobQueue, label: string) => IMetric) => named.map(([name, queue]) => read(queue, name));
  const options = { period: minutes(1), statistic: "Maximum" };
  return [
    graph("Jobs by state", [rowsByState()]),
    graph("Done, retried, given up", [by("Outcomes", { statistic: "Sum", minutes: 5 })]),
    graph("Until work begins, ms, p90", [by("QueueAge", { statistic: "p90", minutes: 5 })]),
    graph("At work, ms, p90", [by("WorkTime", { statistic: "p90", minutes: 5 })]),
    graph(
      "Messages waiting",
      of(({ queue }, label) => queue.metricApproximateNumberOfMessagesVisible({ ...options, label })),
    ),
    graph(
      "Messages at work",
      of(({ queue }, label) => queue.metricApproximateNumberOfMessagesNotVisible({ ...options, label })),
    ),
    graph(
      "Oldest message, seconds",
      of(({ queue }, label) => queue.metricApproximateAgeOfOldestMessage({ ...options, label })),
    ),
    graph("Given up, and stuck", [
      ...of(({ dead }, label) => dead.metricApproximateNumberOfMessagesVisible({ ...options, label })),
      unsent(),
    ]),
  ];
};

const machines = ({ workers: { workers } }: Shown) => {
  const services = workers.flatMap((group) => group.services.map((service) => ({ group, service })));
  const tasks = services.map(({ group, service }) =>
    insight("RunningTaskCount", service, `${group.node.id} ${service.node.id}`),
  );
  const share = (name: string) => services.map(({ service }) => insight(name, service, `${name} ${service.node.id}`));
  const hasGpus = workers.some(({ node }) => node.id === "Gpu");
  return [
    graph("Workers", tasks),
    graph("Workers busy, %", [by("Busy", { statistic: "Average", minutes: 5 })]),
    graph("CPU, units", share("CpuUtilized")),
    graph("Memory, MB", share("MemoryUtilized")),
    ...(hasGpus ? [graph("GPU, %", [gpuMetrics("utilization_gpu"), gpuMetrics("utilization_memory")])] : []),
  ];
};

/** A metric by project would be paid for by the project and month; logs are, by what is read, when somebody looks. */
const costs = ({ api, workers }: Shown) => [
  graph("Cost an hour", [cost("api"), cost("worker")]),
  new LogQueryWidget({
    title: "Cost of the projects that cost most",
    logGroupNames: [api, workers].flatMap(programLogs).map(({ logGroupName }) => logGroupName),
    queryLines: [
      "filter ispresent(Cost) and ispresent(project_id)",
      "stats sum(Cost) as cost by project_id",
      "sort cost desc",
      "limit 20",
    ],
    view: LogQueryVisualizationType.BAR,
    ...{ width: 18, height: 6 },
  }),
];

const notes = `Costs are by the price table of the deployment, to the cent in \`GET /v1/organization/costs\` (\`group_by=project_id\`). Traces are in X-Ray, logs in the log groups of the stacks; every answer's \`x-request-id\` finds both.`;

type Service = WorkersStack["workers"][number]["services"][number];

const insight = (metricName: string, { cluster, serviceName }: Service, label: string): Metric =>
  new Metric({
    ...{ namespace: "ECS/ContainerInsights", metricName, label, period: minutes(1), statistic: "Average" },
    dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: serviceName },
  });

/** Logs of functions and containers; those of the gateway are its own. */
const programLogs = (stack: Stack): LogGroup[] =>
  stack.node.findAll().filter((child): child is LogGroup => child instanceof LogGroup && child.node.id === "Log");
