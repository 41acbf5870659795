/** Images of containers, built from this repository where a deployment has Docker; without it they are only named. */
import { fileURLToPath } from "node:url";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A worker's: `cuda` holds ONNX Runtime's provider for NVIDIA's GPUs, whose build is for x86 alone. What goes in says `.dockerignore`. */
export function workerImage(scope: Construct, id: string, variant: "cuda" | "cpu"): ContainerImage {
  return image(scope, id, "workers/Dockerfile", { VARIANT: variant });
}

export function apiImage(scope: Construct, id: string): ContainerImage {
  return image(scope, id, "api/Dockerfile", {});
}

function image(scope: Construct, id: string, file: string, buildArgs: Record<string, string>): ContainerImage {
  return ContainerImage.fromDockerImageAsset(
    new DockerImageAsset(scope, id, {
      directory: root,
      file,
      buildArgs,
      platform: Platform.LINUX_AMD64,
      exclude: ["cdk.out"],
    }),
  );
}
