/** The API behind a load balancer: what of a request may take how long, who is asked how it is, and how it ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keepAliveMilliseconds } from "../../../api/listen.ts";
import { environmentOf, readDockerfile, restOf } from "../../support/dockerfile.ts";
import { type Properties, synthesise } from "../../support/stacks.ts";

const certificateArn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000000";
const { ofType } = synthesise({ edge: "container", certificateArn });

const only = (type: string): Properties => {
  const [resource, ...others] = ofType(type);
  assert.deepEqual(others, []);
  return resource!.Properties;
};
const attributes = (list: Properties[]) => Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
const image = readDockerfile("api/Dockerfile").at(-1)!;
const [container] = ofType("AWS::ECS::TaskDefinition").find(({ stack }) => stack === "Api")!.Properties
  .ContainerDefinitions as Properties[];
const set = Object.fromEntries(container.Environment.map(({ Name, Value }: Properties) => [Name, Value]));

test("a connection outlives the load balancer's, which would else send requests on one that is being closed", () => {
  const { LoadBalancerAttributes } = only("AWS::ElasticLoadBalancingV2::LoadBalancer");
  const idle = Number(attributes(LoadBalancerAttributes)["idle_timeout.timeout_seconds"]);
  assert.ok(idle >= 60, "events of a stream may be so far apart");
  assert.ok(1000 * idle < keepAliveMilliseconds);
});

test("the load balancer asks where no key is asked for, at the port that the image opens", () => {
  const group = only("AWS::ElasticLoadBalancingV2::TargetGroup");
  const port = Number(environmentOf(image).MILLRACE_PORT);
  assert.deepEqual([group.HealthCheckPath, group.Port, group.Protocol], ["/healthz", port, "HTTP"]);
  assert.deepEqual(restOf(image, "EXPOSE"), [String(port)]);
  assert.deepEqual(
    container.PortMappings.map(({ ContainerPort }: Properties) => ContainerPort),
    [port],
  );
});

test("who is told to go gets no new requests, and time for those that it has", () => {
  const group = only("AWS::ElasticLoadBalancingV2::TargetGroup");
  assert.ok(Number(attributes(group.TargetGroupAttributes)["deregistration_delay.timeout_seconds"]) >= 30);
  assert.ok(Number(set.MILLRACE_STOP_SECONDS) < container.StopTimeout);
  assert.ok(container.StopTimeout <= 120, "Fargate waits no longer");
  assert.equal(container.LinuxParameters.InitProcessEnabled, true);
  assert.equal(
    ofType("AWS::ECS::Service").find(({ stack }) => stack === "Api")!.Properties.DeploymentConfiguration
      .MinimumHealthyPercent,
    100,
  );
});

test("it may write below /tmp alone, and nobody comes in but by TLS", () => {
  assert.equal(container.ReadonlyRootFilesystem, true);
  assert.deepEqual(
    container.MountPoints.map(({ ContainerPath, ReadOnly }: Properties) => [ContainerPath, ReadOnly]),
    [["/tmp", false]],
  );
  const listeners = ofType("AWS::ElasticLoadBalancingV2::Listener").map(({ Properties }) => Properties.Protocol);
  assert.deepEqual(listeners, ["HTTPS"]);
});
