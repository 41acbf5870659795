/** What idling costs is counted in the templates, and the operator's document says the same. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { idleCosts, paidTypes, type Resource, toTable } from "../../../infra/costs/idle.ts";
import { prices } from "../../../infra/costs/prices.ts";
import { synthesise } from "../../support/stacks.ts";

const { resources } = synthesise();
const byId: Record<string, Resource> = Object.fromEntries(resources.map((resource) => [resource.id, resource]));

test("infra/README.md has the table of a deployment as it is", () => {
  const readme = readFileSync(new URL("../../../infra/README.md", import.meta.url), "utf8");
  const table = toTable(idleCosts(byId));
  assert.ok(readme.includes(table), `it should have:\n${table}`);
});

/** Paid for by use alone, or not at all, by the pricing pages of their services; instances only while there are any. */
const freeWhileIdle = [
  ...[
    "AWS::ApiGateway",
    "AWS::ApplicationAutoScaling",
    "AWS::AutoScaling",
    "AWS::Budgets",
    "AWS::CDK",
    "AWS::DynamoDB",
  ],
  ...["AWS::EC2", "AWS::ECS", "AWS::IAM", "AWS::Lambda", "AWS::Logs", "AWS::S3", "AWS::SNS", "AWS::SQS", "AWS::WAFv2"],
  ...["Custom", "AWS::SecretsManager"],
];
const paidIn = [
  "AWS::EC2::Instance",
  "AWS::EC2::Volume",
  "AWS::EC2::EIP",
  "AWS::EC2::NatGateway",
  "AWS::EC2::VPCEndpoint",
];

test("whatever is paid for by the month is counted, or known to cost nothing while nobody calls", () => {
  const types = new Set(resources.map(({ Type }) => Type));
  const unknown = [...types].filter((type) => {
    const service = type
      .split("::")
      .slice(0, type.startsWith("Custom") ? 1 : 2)
      .join("::");
    return !paidTypes.has(type) && (paidIn.includes(type) || !freeWhileIdle.includes(service));
  });
  assert.deepEqual(unknown, []);
});

test("endpoints are paid for by zone, containers by their number and size, gateway endpoints not at all", () => {
  const lines = idleCosts({
    Table: { Type: "AWS::EC2::VPCEndpoint", Properties: { VpcEndpointType: "Gateway" } },
    Sqs: { Type: "AWS::EC2::VPCEndpoint", Properties: { SubnetIds: ["a", "b"] } },
    Kms: { Type: "AWS::EC2::VPCEndpoint", Properties: { SubnetIds: ["a", "b"] } },
    Task: { Type: "AWS::ECS::TaskDefinition", Properties: { Cpu: "2048", Memory: "8192" } },
    Api: { Type: "AWS::ECS::Service", Properties: { DesiredCount: 2, TaskDefinition: { Ref: "Task" } } },
    Worker: { Type: "AWS::ECS::Service", Properties: { DesiredCount: 0, TaskDefinition: { Ref: "Task" } } },
    Models: { Type: "AWS::Lambda::Function", Properties: { MemorySize: 2048 } },
    Warm: {
      Type: "AWS::Lambda::Alias",
      Properties: { ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 3 } },
    },
  });
  const found = Object.fromEntries(lines.map(({ what, count, dollars }) => [what, [count, dollars]]));
  assert.deepEqual(found["interface endpoints, by zone"], [4, 4 * prices.endpoint.value]);
  assert.deepEqual(found["containers of the API, vCPU"], [4, 4 * prices.fargateVcpu.value]);
  assert.deepEqual(found["containers of the API, GB"], [16, 16 * prices.fargateGigabyte.value]);
  assert.deepEqual(found["copies kept warm, GB"], [6, 6 * prices.warmGigabyte.value]);
});

test("every price has a source, and one that is not assumed a date", () => {
  for (const [name, { value, about, date }] of Object.entries(prices)) {
    assert.ok(value > 0 && about.length > 0 && date, name);
  }
});
