/** What a deployment costs a month in which nobody calls it, counted in its templates. */
import { guesses, prices } from "./prices.ts";

export interface Resource {
  Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: templates are JSON of many shapes
  Properties?: any;
}

export interface Line {
  what: string;
  count: number;
  /** US dollars a month. */
  dollars: number;
}

type Properties = NonNullable<Resource["Properties"]>;
type Price = keyof typeof prices;

interface Rule {
  what: string;
  price: Price;
  type: string;
  /** Of each resource of the type; default: 1. */
  units?: (properties: Properties) => number;
}

const calls = 60 * 24 * (365 / 12);
const ofTask = (unit: "Cpu" | "Memory") => (properties: Properties) => Number(properties[unit]) / 1024;

/** One figure of a resource each. What is paid for by its use alone is in none. */
const rules: readonly Rule[] = [
  { what: "KMS keys", price: "key", type: "AWS::KMS::Key" },
  { what: "secrets", price: "secret", type: "AWS::SecretsManager::Secret" },
  { what: "firewall", price: "webAcl", type: "AWS::WAFv2::WebACL" },
  { what: "its rules", price: "webAclRule", type: "AWS::WAFv2::WebACL", units: ({ Rules }) => Rules.length },
  { what: "dashboard", price: "dashboard", type: "AWS::CloudWatch::Dashboard" },
  { what: "metrics that alarms read", price: "alarmMetric", type: "AWS::CloudWatch::Alarm", units: metricsOf },
  { what: "metric of the sweep", price: "metric", type: "AWS::Events::Rule" },
  {
    ...{ what: "metrics of services without tasks", price: "metric", type: "AWS::ECS::Service" },
    units: () => guesses.serviceMetrics.value,
  },
  {
    ...{ what: "metrics of clusters", price: "metric", type: "AWS::ECS::Cluster" },
    units: () => guesses.clusterMetrics.value,
  },
  {
    ...{ what: "interface endpoints, by zone", price: "endpoint", type: "AWS::EC2::VPCEndpoint" },
    units: ({ SubnetIds = [] }) => SubnetIds.length,
  },
  { what: "NAT gateways", price: "nat", type: "AWS::EC2::NatGateway" },
  { what: "their addresses", price: "address", type: "AWS::EC2::EIP" },
  { what: "load balancer", price: "balancer", type: "AWS::ElasticLoadBalancingV2::LoadBalancer" },
  {
    ...{ what: "its addresses", price: "address", type: "AWS::ElasticLoadBalancingV2::LoadBalancer" },
    units: ({ Subnets }) => Subnets.length,
  },
  {
    ...{ what: "copies kept warm, GB", price: "warmGigabyte", type: "AWS::Lambda::Alias" },
    units: ({ ProvisionedConcurrencyConfig: warm, MemorySize }) =>
      (Number(warm?.ProvisionedConcurrentExecutions ?? 0) * MemorySize) / 1024,
  },
  {
    ...{ what: "sweeps, GB s", price: "gigabyteSecond", type: "AWS::Events::Rule" },
    units: () => calls * guesses.sweepSeconds.value * 0.5,
  },
  { what: "sweeps, million calls", price: "millionCalls", type: "AWS::Events::Rule", units: () => calls / 1e6 },
  {
    ...{ what: "their reads, millions", price: "millionReads", type: "AWS::Events::Rule" },
    units: () => (calls * guesses.sweepReads.value) / 1e6,
  },
  {
    ...{
      what: "asking for webhooks, million times",
      price: "millionMessages",
      type: "AWS::Lambda::EventSourceMapping",
    },
    units: () => (calls * guesses.pollsAMinute.value) / 1e6,
  },
];

function metricsOf({ Metrics }: Properties): number {
  return Metrics ? Metrics.filter((metric: Properties) => metric.MetricStat).length : 1;
}

/** Those of a service that always runs some. */
const containerRules: readonly Rule[] = [
  { what: "containers of the API, vCPU", price: "fargateVcpu", type: "AWS::ECS::TaskDefinition", units: ofTask("Cpu") },
  {
    ...{ what: "containers of the API, GB", price: "fargateGigabyte", type: "AWS::ECS::TaskDefinition" },
    units: ofTask("Memory"),
  },
];

/** Types of resources that are paid for by the month, used or not. */
export const paidTypes: ReadonlySet<string> = new Set([...rules, ...containerRules].map(({ type }) => type));

/** By the logical ids of its templates. What costs nothing is left out. */
export function idleCosts(resources: Readonly<Record<string, Resource>>): Line[] {
  const all = Object.values(resources);
  const lines = [...rules.map((rule) => lineOf(rule, all)), ...containerRules.map((rule) => alwaysOn(rule, resources))];
  return lines.filter(({ dollars }) => dollars > 0);
}

function lineOf({ what, price, type, units = () => 1 }: Rule, resources: readonly Resource[]): Line {
  const found = resources.filter((resource) => resource.Type === type);
  const count = found.reduce(
    (sum, resource) => sum + units({ ...memoryOf(resource, resources), ...resource.Properties }),
    0,
  );
  return { what, count, dollars: count * prices[price].value };
}

/** An alias has the memory of the function that models run in. */
function memoryOf({ Type }: Resource, resources: readonly Resource[]): { MemorySize?: number } {
  if (Type !== "AWS::Lambda::Alias") return {};
  const sizes = resources.map(({ Properties }) => Number(Properties?.MemorySize ?? 0));
  return { MemorySize: Math.max(...sizes) };
}

function alwaysOn(rule: Rule, resources: Readonly<Record<string, Resource>>): Line {
  const services = Object.values(resources).filter(({ Type, Properties }) => {
    return Type === "AWS::ECS::Service" && Number(Properties.DesiredCount) > 0;
  });
  const lines = services.flatMap(({ Properties: { TaskDefinition, DesiredCount } }) => {
    const line = lineOf(rule, [resources[TaskDefinition.Ref]!]);
    return { ...line, count: line.count * DesiredCount, dollars: line.dollars * DesiredCount };
  });
  const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0);
  return { what: rule.what, count: sum(({ count }) => count), dollars: sum(({ dollars }) => dollars) };
}

const figure = (count: number) => (Number.isInteger(count) ? String(count) : count.toPrecision(3));

export function toTable(lines: readonly Line[]): string {
  const rows = lines.map(({ what, count, dollars }) => `| ${what} | ${figure(count)} | ${dollars.toFixed(2)} |`);
  const total = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return [
    "| what | how much | dollars |",
    "|---|---|---|",
    ...rows,
    `| **together** | | **${total.toFixed(2)}** |`,
  ].join("\n");
}
