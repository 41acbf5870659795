/** When workers come and go, and what they may do: the alarms and policies are read as AWS reads them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuPolicy, type FleetPolicy, gpuPolicy, tasksFor } from "../../../shared/fleet/policy.ts";
import { type Properties, type Resource, synthesise } from "../../support/stacks.ts";

const { ofType } = synthesise({ gpuWorkers: "8", cpuWorkers: "16" });

const refersTo = (value: Properties, { id }: Resource) => JSON.stringify(value).includes(`"${id}"`);

interface Rule {
  alarm: Properties;
  steps: Properties[];
}

/** Alarms of a service's scaling, each with what it does. */
function rulesOf(service: Resource): Rule[] {
  const [target] = ofType("AWS::ApplicationAutoScaling::ScalableTarget").filter(({ Properties }) =>
    refersTo(Properties.ResourceId, service),
  );
  return ofType("AWS::ApplicationAutoScaling::ScalingPolicy")
    .filter(({ Properties }) => refersTo(Properties.ScalingTargetId, target!))
    .map((policy) => {
      const { AdjustmentType, StepAdjustments } = policy.Properties.StepScalingPolicyConfiguration;
      assert.equal(AdjustmentType, "ExactCapacity");
      const [alarm] = ofType("AWS::CloudWatch::Alarm").filter(({ Properties }) =>
        refersTo(Properties.AlarmActions, policy),
      );
      return { alarm: alarm!.Properties, steps: StepAdjustments };
    });
}

/**
 * Tasks that AWS is told to run at a reading. Bounds are relative to the threshold; which of them belong to a step depends
 * on whether the alarm looks for more or for less.
 */
function askedFor(rules: Rule[], reading: number): number[] {
  return rules.flatMap(({ alarm: { ComparisonOperator, Threshold }, steps }) => {
    const looksForMore = ComparisonOperator === "GreaterThanOrEqualToThreshold";
    if (looksForMore ? reading < Threshold : reading > Threshold) return [];
    const from = reading - Threshold;
    const held = steps.filter(
      ({ MetricIntervalLowerBound: low = -Infinity, MetricIntervalUpperBound: high = Infinity }) =>
        looksForMore ? from >= low && from < high : from > low && from <= high,
    );
    return held.map(({ ScalingAdjustment }) => ScalingAdjustment);
  });
}

const service = (name: string): Resource => {
  const [found] = ofType("AWS::ECS::Service").filter(({ id }) => id.startsWith(name));
  return found!;
};

const fleets: [string, FleetPolicy][] = [
  ["Gpu", gpuPolicy],
  ["Cpu", cpuPolicy],
];
for (const [name, policy] of fleets) {
  test(`${name}: as many spot workers as the policy has for every number of messages, none for none`, () => {
    const rules = rulesOf(service(`${name}Spot`));
    for (let messages = 0; messages < 200; messages++) {
      assert.deepEqual(askedFor(rules, messages), [tasksFor(policy, messages)], `${messages} messages`);
    }
    assert.equal(tasksFor(policy, 0), 0);
  });

  test(`${name}: messages in flight count, so that nobody at work is sent away, and readings of a while must agree`, () => {
    for (const { alarm } of rulesOf(service(`${name}Spot`))) {
      const measured = alarm.Metrics.flatMap(({ MetricStat }: Properties) => MetricStat ?? []);
      const kinds = measured.map(({ Metric }: Properties) => Metric.MetricName);
      assert.deepEqual(
        new Set(kinds),
        new Set(["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"]),
      );
      for (const { Stat, Period } of measured) assert.deepEqual([Stat, Period], ["Maximum", 60 * policy.idlePeriods]);
    }
  });

  test(`${name}: what spot lacks for a while is run on demand`, () => {
    const rules = rulesOf(service(`${name}OnDemand`));
    for (let missing = 0; missing <= policy.maxOnDemandTasks + 3; missing++) {
      assert.deepEqual(askedFor(rules, missing), [Math.min(missing, policy.maxOnDemandTasks)], `${missing} missing`);
    }
    const spot = service(`${name}Spot`);
    for (const { alarm } of rules) assert.ok(refersTo(alarm.Metrics, spot), "it is the spot service's lack");
  });
}

test("a worker's container is read-only, has two minutes to put its work down, and a GPU where it is to have one", () => {
  const tasks = ofType("AWS::ECS::TaskDefinition");
  assert.equal(tasks.length, 2);
  for (const { id, Properties } of tasks) {
    const [container] = Properties.ContainerDefinitions;
    assert.equal(container.ReadonlyRootFilesystem, true);
    assert.equal(container.LinuxParameters.InitProcessEnabled, true, "a signal before Node.js hears it ends it, too");
    assert.equal(container.StopTimeout, 120);
    assert.deepEqual(container.MountPoints, [{ ContainerPath: "/tmp", ReadOnly: false, SourceVolume: "scratch" }]);
    assert.deepEqual(
      container.Secrets.map(({ Name }: Properties) => Name),
      ["MILLRACE_SECRET_KEYS"],
    );
    const environment = Object.fromEntries(container.Environment.map(({ Name, Value }: Properties) => [Name, Value]));
    const isGpu = id.startsWith("Gpu");
    assert.equal(container.ResourceRequirements?.[0].Type, isGpu ? "GPU" : undefined);
    assert.equal(environment.MILLRACE_DEVICE, isGpu ? "cuda" : "cpu");
    assert.equal(environment.MILLRACE_WORKER_QUEUES, isGpu ? "jobs,answers" : "light");
    const daemon = isGpu ? "xray-daemon:2000" : "127.0.0.1:2000";
    assert.equal(environment.AWS_XRAY_DAEMON_ADDRESS, daemon);
    assert.deepEqual(container.Links, isGpu ? ["xray-daemon"] : undefined);
    assert.ok(Number(environment.MILLRACE_STOP_SECONDS) < container.StopTimeout);
  }
});

test("instances begin at none, and heed the notice of an interruption", () => {
  const groups = ofType("AWS::AutoScaling::AutoScalingGroup");
  assert.equal(groups.length, 2);
  for (const { Properties } of groups) assert.equal(Properties.MinSize, "0");
  const templates = ofType("AWS::EC2::LaunchTemplate").map(({ Properties }) => Properties.LaunchTemplateData);
  for (const { BlockDeviceMappings, MetadataOptions } of templates) {
    assert.deepEqual(MetadataOptions, { HttpTokens: "required", HttpPutResponseHopLimit: 1 });
    assert.ok(BlockDeviceMappings.every(({ Ebs }: Properties) => Ebs.Encrypted));
  }
  const heeding = templates
    .map(({ UserData }) => JSON.stringify(UserData))
    .filter((data) => data.includes("ECS_ENABLE_SPOT_INSTANCE_DRAINING=true"));
  assert.equal(heeding.length, 1);
  const [, tells] = /label=com\.amazonaws\.ecs\.container-name=(\w+)/.exec(heeding[0]!)!;
  const [container] = ofType("AWS::ECS::TaskDefinition")[0]!.Properties.ContainerDefinitions;
  assert.equal(tells, container.Name, "the instance tells the worker itself");
});

/** By logical id of a role: what it may do with queues, objects and secrets. */
const rights: Record<string, Record<string, string[]>> = {
  EdgeLightRole: {
    SendMessage: ["AnswersQueue", "JobsQueue", "LightQueue", "WebhooksQueue"],
    GetObject: ["bases/*", "proj_*"],
    PutObject: ["proj_*"],
    GetSecretValue: ["SealingKeys"],
  },
  EdgeModelsRole: {
    SendMessage: ["AnswersQueue"],
    GetObject: ["bases/*", "proj_*"],
    PutObject: ["proj_*/answers/*", "proj_*/inferences/*"],
  },
  SweepRole: {
    SendMessage: ["AnswersQueue", "JobsQueue", "LightQueue", "WebhooksQueue"],
    GetObject: ["proj_*"],
    PutObject: ["proj_*"],
  },
  WebhooksRole: {
    SendMessage: ["WebhooksQueue"],
    ReceiveMessage: ["WebhooksQueue"],
    GetSecretValue: ["SealingKeys"],
  },
  BeginRole: {
    GetObject: ["bases/*"],
    PutObject: ["bases/*"],
    GetSecretValue: ["FirstKeys"],
    PutSecretValue: ["FirstKeys"],
  },
  GpuTaskTaskRole: {
    ReceiveMessage: ["AnswersQueue", "JobsQueue"],
    SendMessage: ["AnswersQueue", "JobsDead", "JobsQueue", "LightQueue", "WebhooksQueue"],
    GetObject: ["bases/*", "proj_*"],
    PutObject: ["proj_*"],
  },
  CpuTaskTaskRole: {
    ReceiveMessage: ["LightQueue"],
    SendMessage: ["AnswersQueue", "JobsDead", "JobsQueue", "LightQueue", "WebhooksQueue"],
    GetObject: ["bases/*", "proj_*"],
    PutObject: ["proj_*"],
  },
};

const sweeping = ["SweepRole", "GpuTaskTaskRole", "CpuTaskTaskRole"];

/** `JobsQueue` of the export of a queue's ARN, `proj_*` of that of objects. */
function short(resource: Properties): string {
  const text = JSON.stringify(resource);
  const prefix = /"\/((?:proj_|bases)[^"]*)"/.exec(text)?.[1];
  return prefix ?? /ExportsOutput(?:FnGetAtt|Ref)([A-Za-z]+?)[0-9A-F]{8}/.exec(text)?.[1] ?? text;
}

for (const [role, allowed] of Object.entries(rights)) {
  test(`${role} touches its own queues, prefixes, secrets and the one key, and nothing else`, () => {
    const statements = ofType("AWS::IAM::Policy")
      .filter(({ id }) => id.startsWith(`${role}DefaultPolicy`))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Properties[]);
    const found: Record<string, string[]> = {};
    for (const { Action, Resource } of statements) {
      for (const action of [Action].flat() as string[]) {
        const name = action.split(":")[1]!;
        if (!interesting.includes(name)) continue;
        found[name] = [...(found[name] ?? []), ...[Resource].flat().map(short)].sort();
      }
    }
    assert.deepEqual(found, allowed);
    const keys = statements.filter(({ Action }) => JSON.stringify(Action).includes("kms:"));
    assert.equal(keys.length, 1);
    assert.ok(keys[0].Condition.StringEquals["kms:ViaService"].length > 0);
    const tables = statements.filter(({ Action }) => JSON.stringify(Action).includes("dynamodb:"));
    assert.deepEqual(new Set(tables.flatMap(({ Resource }) => [Resource].flat().map(short))), new Set(["Table"]));
    assert.ok(!JSON.stringify(tables).match(/DeleteTable|UpdateTable"/));
    assert.equal(JSON.stringify(tables).includes("Scan"), sweeping.includes(role), "who erases projects reads all");
  });
}

const interesting = ["SendMessage", "ReceiveMessage", "GetObject", "PutObject", "GetSecretValue", "PutSecretValue"];
