/** X-Ray's daemon beside a worker, which sends on what the worker tells of its work. */
import { type ContainerDefinition, type LogDriver, NetworkMode, type TaskDefinition } from "aws-cdk-lib/aws-ecs";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { acknowledge } from "./acknowledge.ts";
import { traceDaemonImage } from "./images.ts";

const name = "xray-daemon";
const port = 2000;

/** For the worker's environment: containers of a Fargate task share their loopback, on a bridge they have names. */
export function daemonAddress({ networkMode }: TaskDefinition): string {
  return `${networkMode === NetworkMode.BRIDGE ? name : "127.0.0.1"}:${port}`;
}

/** A worker goes on without it. */
export function addTraceDaemon(task: TaskDefinition, worker: ContainerDefinition, logging: LogDriver): void {
  const daemon = task.addContainer(name, {
    image: traceDaemonImage(task, "TraceDaemonImage"),
    logging,
    ...{ essential: false, readonlyRootFilesystem: true, memoryReservationMiB: 64 },
  });
  if (task.networkMode === NetworkMode.BRIDGE) worker.addLink(daemon);
  task.taskRole.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources: ["*"] }),
  );
  acknowledge(task.taskRole, { "IAM5[Resource::*]": "X-Ray takes segments under no resource's name." });
}
