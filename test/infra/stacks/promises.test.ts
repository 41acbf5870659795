/** What every deployment promises, whatever was chosen: read from the templates, as CloudFormation would. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Environment, parseConfig } from "../../../shared/config.ts";
import { tableSchema } from "../../../shared/stores/table.ts";
import { asDeployed, computes } from "../../support/computes.ts";
import { type Properties, type Resource, type Synthesised, synthesise } from "../../support/stacks.ts";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/x";
const domain = { domainName: "api.example.com", certificateArn };
const choices: Record<string, Record<string, string>> = {
  "as it is": {},
  "without GPUs or firewall": { gpuInstances: "none", firewall: "false", monthlyBudget: "0" },
  "in private": { network: "private", organizationKeys: "true", provisionedConcurrency: "2", ...domain },
  "in containers": { edge: "container", certificateArn },
  "in private, with a NAT": { network: "private", natGateways: "1", alarmEmail: "ops@example.com" },
};

for (const [name, chosen] of Object.entries(choices)) {
  test(`${name}: cdk-nag finds nothing, and promises hold`, () => {
    const deployment = synthesise(chosen);
    const both = [queuesAreWatched, bucketsAreClosed, nobodyCallsIn, stateStays, environmentIsKnown];
    for (const promise of [...both, wildcardsAreKnown, endpointsAreNeeded, allIsTagged]) promise(deployment);
  });
}

/** Whether a value of another stack, or of this one, names a resource. */
const names = (value: Properties, { id }: Resource) => JSON.stringify(value ?? null).includes(id);

function queuesAreWatched({ ofType }: Synthesised): void {
  const queues = ofType("AWS::SQS::Queue");
  const alarms = ofType("AWS::CloudWatch::Alarm").filter(({ Properties: { AlarmActions } }) => AlarmActions?.length);
  const topics = ofType("AWS::SNS::Topic");
  assert.ok(queues.length > 0);
  for (const queue of queues) {
    const dead = queue.Properties.RedrivePolicy?.deadLetterTargetArn;
    const isDead = queues.some((other) => names(other.Properties.RedrivePolicy, queue));
    assert.ok(dead || isDead, `${queue.id} has no dead-letter queue`);
    const told = alarms.filter(
      ({
        Properties: {
          AlarmActions: [action],
          Dimensions,
        },
      }) => {
        return names(Dimensions, queue) && topics.some((topic) => names(action, topic));
      },
    );
    assert.ok(told.length > 0, `nobody is told of ${queue.id}`);
  }
}

function bucketsAreClosed({ ofType }: Synthesised): void {
  const policies = ofType("AWS::S3::BucketPolicy");
  for (const bucket of ofType("AWS::S3::Bucket")) {
    const { BucketEncryption, PublicAccessBlockConfiguration: open, VersioningConfiguration } = bucket.Properties;
    assert.ok(BucketEncryption.ServerSideEncryptionConfiguration.length > 0);
    assert.deepEqual(new Set(Object.values(open)), new Set([true]));
    const statements = policies
      .filter(({ Properties }) => names(Properties.Bucket, bucket))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Properties[]);
    const refusal = statements.find(({ Effect, Condition }) => {
      return Effect === "Deny" && Condition?.Bool?.["aws:SecureTransport"] === "false";
    });
    assert.equal(refusal?.Action, "s3:*", `${bucket.id} may be read over plain HTTP`);
    assert.deepEqual(refusal.Principal, { AWS: "*" });
    const isData = names(bucket.Properties.LoggingConfiguration, ofType("AWS::S3::Bucket")[0]!);
    if (isData) assert.equal(VersioningConfiguration.Status, "Enabled");
  }
}

/** No security group lets anybody in but others of ours, save the load balancer of the container edge, by HTTPS. */
function nobodyCallsIn({ ofType }: Synthesised): void {
  const rules = [
    ...ofType("AWS::EC2::SecurityGroup").flatMap(({ id, Properties }) =>
      (Properties.SecurityGroupIngress ?? []).map((rule: Properties) => ({ id, rule })),
    ),
    ...ofType("AWS::EC2::SecurityGroupIngress").map(({ id, Properties: rule }) => ({ id, rule })),
  ];
  const open = rules.filter(({ rule: { CidrIp, CidrIpv6 } }) => CidrIp === "0.0.0.0/0" || CidrIpv6 === "::/0");
  const edge = open.filter(
    ({ id, rule: { FromPort, ToPort } }) => /^EdgeBalancer/.test(id) && FromPort === 443 && ToPort === 443,
  );
  assert.equal(edge.length, ofType("AWS::ElasticLoadBalancingV2::LoadBalancer").length);
  assert.deepEqual(
    open.filter((rule) => !edge.includes(rule)),
    [],
  );
}

const stateful = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"];

function stateStays({ resources, ofType, data }: Synthesised): void {
  const keys = ofType("AWS::KMS::Key").filter(({ stack }) => stack === data.node.id);
  const kept = [...resources.filter(({ Type }) => stateful.includes(Type)), ...keys];
  assert.ok(kept.length >= stateful.length + 1);
  for (const { id, DeletionPolicy, UpdateReplacePolicy } of kept) {
    assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ["Retain", "Retain"], id);
  }
  assert.equal(data.terminationProtection, true);
  assert.ok(ofType("AWS::DynamoDB::Table").every(({ Properties }) => Properties.DeletionProtectionEnabled));
}

/** Both ways: all that is set is understood, and what is asked for is set. */
function environmentIsKnown(deployment: Synthesised): void {
  const found = computes(deployment);
  assert.ok(found.length >= 4);
  const schema: Record<string, { safeParse(value: unknown): { success: boolean } }> = Environment.shape;
  const required = Object.keys(schema).filter((name) => !schema[name]!.safeParse(undefined).success);
  for (const { id, environment } of found) {
    const ours = Object.keys(environment).filter((name) => name.startsWith("MILLRACE_"));
    assert.deepEqual(
      ours.filter((name) => !(name in schema)),
      [],
      `${id} sets what nobody reads`,
    );
    const expected = [...required, "MILLRACE_TABLE", "MILLRACE_BUCKET", "MILLRACE_LIGHT_QUEUE_URL"];
    assert.deepEqual(
      expected.filter((name) => !(name in environment)),
      [],
      `${id} lacks`,
    );
    parseConfig({ ...asDeployed(environment), MILLRACE_DEVICE: "cpu" });
  }
}

/** By which costs are told apart, and a budget finds them. */
function allIsTagged({ ofType, options: { stage } }: Synthesised): void {
  const tagged = [
    ...["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::KMS::Key", "AWS::SecretsManager::Secret"],
    ...["AWS::Lambda::Function", "AWS::ECS::Service", "AWS::ECS::Cluster", "AWS::ECS::TaskDefinition", "AWS::EC2::VPC"],
    ...[
      "AWS::EC2::NatGateway",
      "AWS::ElasticLoadBalancingV2::LoadBalancer",
      "AWS::WAFv2::WebACL",
      "AWS::Logs::LogGroup",
    ],
    ...["AWS::ApiGateway::RestApi", "AWS::CloudWatch::Alarm", "AWS::SNS::Topic"],
  ];
  // What CDK brings along for its triggers takes no tags, and works at deployments only.
  const ours = tagged.flatMap(ofType).filter(({ id }) => !id.startsWith("AWSCDK"));
  for (const { id, Properties } of ours) {
    const tags = Object.fromEntries((Properties.Tags ?? []).map(({ Key, Value }: Properties) => [Key, Value]));
    assert.deepEqual([tags.application, tags.stage], ["millrace", stage], id);
  }
  // Instances and what hangs on them do not inherit a group's tags unless told to.
  for (const { id, Properties } of ofType("AWS::AutoScaling::AutoScalingGroup")) {
    const passedOn = Properties.Tags.filter(({ PropagateAtLaunch }: Properties) => PropagateAtLaunch);
    assert.ok(
      passedOn.some(({ Key }: Properties) => Key === "stage"),
      id,
    );
  }
  for (const { id, Properties } of ofType("AWS::ECS::Service")) assert.ok(Properties.PropagateTags, `tasks of ${id}`);
}

/** Actions that AWS offers for no resource in particular, or for those that a condition names. */
const unnamed = [
  ...["xray:PutTraceSegments", "xray:PutTelemetryRecords", "ecr:GetAuthorizationToken"],
  ...["ecs:Poll", "ecs:StartTelemetrySession", "ecs:DiscoverPollEndpoint", "logs:CreateLogStream", "logs:PutLogEvents"],
  ...["cloudwatch:PutMetricData", "kms:CreateKey", "kms:TagResource"],
];

function wildcardsAreKnown({ ofType }: Synthesised): void {
  const statements = ofType("AWS::IAM::Policy").flatMap(({ id, Properties }) =>
    Properties.PolicyDocument.Statement.map((statement: Properties) => ({ id, statement })),
  );
  for (const { id, statement } of statements) {
    const actions: string[] = [statement.Action].flat();
    if ([statement.Resource].flat().includes("*")) {
      assert.deepEqual(
        actions.filter((action) => !unnamed.includes(action)),
        [],
        `${id} may do it to anything`,
      );
    }
    assert.deepEqual(
      actions.filter((action) => action.includes("*") && action !== "ecs:Submit*"),
      [],
      id,
    );
  }
}

/** What is paid for by the hour is there for those who have no other way out. */
function endpointsAreNeeded({ ofType, options: { network, natGateways } }: Synthesised): void {
  const types = ofType("AWS::EC2::VPCEndpoint").map(({ Properties }) => Properties.VpcEndpointType);
  assert.equal(types.filter((type) => type === "Gateway").length, 2);
  assert.equal(types.includes("Interface"), network === "private" && natGateways === 0);
  assert.equal(ofType("AWS::EC2::NatGateway").length, network === "private" ? natGateways : 0);
}

test("the table is the one that the local cloud makes", () => {
  const { ofType } = synthesise();
  const [{ Properties: table } = { Properties: undefined }, ...others] = ofType("AWS::DynamoDB::Table");
  const { keys, workIndex, timeToLive } = tableSchema;
  const schema = ({ partition, sort }: { partition: string; sort: string }) => [
    { AttributeName: partition, KeyType: "HASH" },
    { AttributeName: sort, KeyType: "RANGE" },
  ];
  assert.deepEqual(others, []);
  assert.deepEqual(table.KeySchema, schema(keys));
  assert.deepEqual(
    table.GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }: Properties) => [
      IndexName,
      KeySchema,
      Projection,
    ]),
    [[workIndex.name, schema(workIndex), { ProjectionType: "ALL" }]],
  );
  assert.deepEqual(table.TimeToLiveSpecification, { AttributeName: timeToLive, Enabled: true });
  assert.equal(table.BillingMode, "PAY_PER_REQUEST");
  assert.equal(table.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled, true);
  assert.equal(table.SSESpecification.SSEType, "KMS");
});

test("a restored table is used in the place of the deployment's own, which stays", () => {
  const deployment = synthesise({ restoredTable: "as-it-was" });
  const { ofType } = deployment;
  assert.equal(ofType("AWS::DynamoDB::Table").length, 1);
  stateStays(deployment);
  for (const { id, environment } of computes(deployment)) assert.equal(environment.MILLRACE_TABLE, "as-it-was", id);
  const allowed = ofType("AWS::IAM::Policy")
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Properties[])
    .filter(({ Action }) => JSON.stringify(Action).includes("dynamodb:"));
  assert.ok(allowed.length > 0);
  for (const { Resource } of allowed) assert.match(JSON.stringify(Resource), /:table\/as-it-was/);
});

test("what AWS generates as the sealing key is one", () => {
  const secrets = synthesise().ofType("AWS::SecretsManager::Secret");
  const generated = secrets.map(({ Properties }) => Properties.GenerateSecretString);
  const { PasswordLength, ExcludePunctuation } = generated.find(({ PasswordLength }) => PasswordLength);
  assert.equal(ExcludePunctuation, true);
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  for (let i = 0; i < letters.length; i++) {
    const MILLRACE_SECRET_KEYS = letters[i]!.repeat(PasswordLength - 1) + letters.at(-i - 1);
    const urls = { MILLRACE_QUEUE_URL: "https://a/q", MILLRACE_DEAD_LETTER_QUEUE_URL: "https://a/d" };
    assert.equal(parseConfig({ ...urls, MILLRACE_SECRET_KEYS }).secretKeys[0]!.length, 32);
  }
});

test("a choice that cannot be is named", () => {
  const wrong = { stage: "Dev!", gpuWorkers: "0", edge: "moon" };
  assert.throws(
    () => synthesise(wrong),
    ({ message }: Error) => Object.keys(wrong).every((name) => message.includes(name)),
  );
  assert.throws(() => synthesise({ edge: "container" }), /certificateArn/);
  assert.throws(() => synthesise({ domainName: "api.example.com" }), /certificateArn/);
});
