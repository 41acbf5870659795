/** Images of containers, built from this repository where a deployment has Docker; without it they are only named. */
import { fileURLToPath } from "node:url";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** `cuda` holds ONNX Runtime's provider for NVIDIA's GPUs, whose build is for x86 alone. What goes in says `.dockerignore`. */
export function workerImage(scope: Construct, id: string, variant: "cuda" | "cpu"): ContainerImage {
  return ContainerImage.fromDockerImageAsset(
    new DockerImageAsset(scope, id, {
      directory: root,
      file: "workers/Dockerfile",
      buildArgs: { VARIANT: variant },
      platform: Platform.LINUX_AMD64,
      exclude: ["cdk.out"],
    }),
  );
}
