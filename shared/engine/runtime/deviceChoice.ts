/** Which hardware sessions run on, and what a machine lacks for it. Loads no native code, so that a parent may ask. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What can be asked for. `auto` is CUDA where it works and the CPU elsewhere; WebGPU is experimental and only by name. */
export const deviceChoices = ["auto", "cpu", "cuda", "webgpu"] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
export type ExecutionProvider = Exclude<DeviceChoice, "auto">;

export function isDeviceChoice(name: string): name is DeviceChoice {
  return (deviceChoices as readonly string[]).includes(name);
}

interface Requirement {
  readonly what: string;
  readonly howToGet: string;
  readonly isThere: (machine: Machine) => boolean;
}

/** Where requirements are looked for; a test may show another machine. */
export interface Machine {
  readonly platform: string;
  /** The folder of ONNX Runtime's libraries. */
  readonly libraries: string;
  readonly exists: (path: string) => boolean;
}

const providerLibraries = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];
/** What a driver leaves: of Linux itself, and of Linux inside Windows. */
const driverTraces = ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/usr/lib/wsl/lib/libcuda.so.1"];

const cudaRequirements: readonly Requirement[] = [
  {
    what: "Linux on x64, the only platform with a CUDA build of onnxruntime-node",
    howToGet: "use such a machine",
    isThere: ({ platform }) => platform === "linux/x64",
  },
  {
    what: `the provider library (${providerLibraries.join(", ")})`,
    howToGet:
      "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12 downloads it from nuget.org",
    isThere: ({ libraries, exists }) => providerLibraries.every((file) => exists(join(libraries, file))),
  },
  {
    what: "the NVIDIA driver",
    howToGet: "install it on the host and start the container with its GPUs (--gpus all)",
    isThere: ({ exists }) => driverTraces.some(exists),
  },
];

/** What CUDA lacks here, each with how to get it; empty where all that can be seen is there. */
export function whatCudaLacks(machine: Machine = thisMachine()): string[] {
  return cudaRequirements
    .filter(({ isThere }) => !isThere(machine))
    .map(({ what, howToGet }) => `${what} (${howToGet})`);
}

/** Said when CUDA was asked for by name; undefined where nothing is seen to be missing. */
export function cudaRefusal(machine?: Machine): string | undefined {
  const missing = whatCudaLacks(machine);
  return missing.length ? `CUDA is not available here. Missing: ${missing.join("; ")}` : undefined;
}

function thisMachine(): Machine {
  const platform = `${process.platform}/${process.arch}`;
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  return { platform, libraries: join(root, "bin/napi-v6", platform), exists: existsSync };
}
