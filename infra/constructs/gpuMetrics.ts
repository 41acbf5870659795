/** How busy GPUs are: measured by CloudWatch's agent on the instances, as ECS itself does not say. */
import { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { UserData } from "aws-cdk-lib/aws-ec2";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";

const namespace = "Millrace/GPU";

export type GpuMeasurement = "utilization_gpu" | "utilization_memory";
const measurements: readonly GpuMeasurement[] = ["utilization_gpu", "utilization_memory"];

const agentConfig = {
  agent: { metrics_collection_interval: 60 },
  metrics: {
    namespace,
    // Over all instances: the agent tells each apart by dimensions that come and go with it.
    aggregation_dimensions: [[]],
    metrics_collected: { nvidia_gpu: { measurement: measurements } },
  },
};

export const gpuMetrics = (name: GpuMeasurement): Metric =>
  new Metric({
    ...{ namespace, metricName: `nvidia_smi_${name}`, statistic: "Average", period: Duration.minutes(1), label: name },
  });

/** Beside the instance's start, which is not to wait for it; from Amazon Linux's repositories, which are in S3. */
export function measureGpus(userData: UserData, role: IRole): void {
  const file = "/opt/aws/amazon-cloudwatch-agent/etc/millrace.json";
  const control = "/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl";
  userData.addCommands(
    `mkdir -p $(dirname ${file}) && echo '${JSON.stringify(agentConfig)}' > ${file}`,
    `systemd-run --no-block bash -c 'dnf install -y amazon-cloudwatch-agent && ${control} -a fetch-config -m ec2 -s -c file:${file}'`,
  );
  const conditions = { StringEquals: { "cloudwatch:namespace": namespace } };
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["cloudwatch:PutMetricData"], resources: ["*"], conditions }),
  );
}
