/** Images of containers, built from this repository where a deployment has Docker; without it they are only named. */
import { fileURLToPath } from "node:url";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const traceDaemon = fileURLToPath(new URL("../images/xray", import.meta.url));

/** A worker's: `cuda` holds ONNX Runtime's provider for NVIDIA's GPUs, whose build is for x86 alone. What goes in says `.dockerignore`. */
export function workerImage(scope: Construct, id: string, variant: "cuda" | "cpu"): ContainerImage {
  return image(scope, id, "workers/Dockerfile", { VARIANT: variant });
}

export function apiImage(scope: Construct, id: string): ContainerImage {
  return image(scope, id, "api/Dockerfile", {});
}

export function traceDaemonImage(scope: Construct, id: string): ContainerImage {
  const asset = new DockerImageAsset(scope, id, { directory: traceDaemon, platform: Platform.LINUX_AMD64 });
  return ContainerImage.fromDockerImageAsset(asset);
}

function image(scope: Construct, id: string, file: string, buildArgs: Record<string, string>): ContainerImage {
  return ContainerImage.fromDockerImageAsset(
    new DockerImageAsset(scope, id, {
      directory: root,
      file,
      buildArgs,
      platform: Platform.LINUX_AMD64,
      // What `.dockerignore` leaves out is left out of what is built from, and this is what says how.
      exclude: [`!${file}`],
    }),
  );
}
