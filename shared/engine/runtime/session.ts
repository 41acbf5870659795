/**
 * The only door to ONNX Runtime. A run blocks this process's event loop while it computes: sessions belong in a device
 * process.
 */
import "./telemetry.ts";
import * as ort from "onnxruntime-node";
import { type DataType, dataTypes, type Tensor } from "../dataTypes.ts";
import { input } from "../graph.ts";
import { toOnnx } from "../onnx.ts";
import { add } from "../ops/elementwise.ts";
import { elementCount } from "../shape.ts";
import {
  cudaRefusal,
  type DeviceChoice,
  deviceChoices,
  type ExecutionProvider,
  isDeviceChoice,
  whatCudaLacks,
} from "./deviceChoice.ts";

export interface SessionOptions {
  /**
   * Threads one op may use. Results are reproducible bit for bit for a fixed number, not between numbers. Default 2.
   */
  readonly threads?: number;
  /** Default: what `useDevice` was told, else "cpu". */
  readonly device?: DeviceChoice;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Computes every output. Throws SessionError naming a feed that is missing, unknown, or of another data type or
   * shape.
   */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** The model or a feed was refused; the message says which and why. */
export class SessionError extends Error {
  override name = "SessionError";
}

/**
 * A session for a model from `toOnnx`. Throws SessionError for a device that is not there, naming what is missing, or a
 * model that does not load.
 */
export async function createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const session = await load(model, options);
  const inputs = new Map(session.inputMetadata.map((input) => [input.name, input]));
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds) => {
      const stray = Object.keys(feeds).find((name) => !inputs.has(name));
      if (stray !== undefined) throw new SessionError(`the model has no input "${stray}"`);
      const values = [...inputs.values()].map((input) => [input.name, toValue(input, feeds[input.name])]);
      return fromValues(await session.run(Object.fromEntries(values)));
    },
    release: () => session.release(),
  };
}

let processDevice: DeviceChoice = "cpu";

/** Where sessions of this process run unless told otherwise: a device process serves one device. */
export function useDevice(choice: DeviceChoice): void {
  processDevice = choice;
}

// Said when a session does not start though nothing is seen to be missing.
const needs: Record<ExecutionProvider, string> = {
  cpu: "",
  cuda: "; it needs CUDA 12 and cuDNN 9 on the library path",
  webgpu: "; it is experimental, and needs a GPU with a Vulkan, Metal or Direct3D 12 driver",
};

async function load(model: Uint8Array, { threads = 2, device = processDevice }: SessionOptions) {
  if (!isDeviceChoice(device)) {
    throw new SessionError(`device "${device}" is not known; known: ${deviceChoices.join(", ")}`);
  }
  if (!Number.isInteger(threads) || threads < 1)
    throw new SessionError(`threads must be a positive integer, not ${threads}`);
  const provider = device === "auto" ? await automatic() : device;
  const refusal = provider === "cuda" && cudaRefusal();
  if (refusal) throw new SessionError(refusal);
  return start(model, provider, threads);
}

let chosen: Promise<ExecutionProvider> | undefined;

/** CUDA where it is there and a small session starts on it; found out once a process. */
function automatic(): Promise<ExecutionProvider> {
  if (whatCudaLacks().length > 0) return Promise.resolve("cpu");
  const x = input("x", [1]);
  chosen ??= start(toOnnx({ outputs: { sum: add(x, x) } }), "cuda", 1).then(
    (session) => session.release().then(() => "cuda" as const),
    () => "cpu" as const,
  );
  return chosen;
}

async function start(model: Uint8Array, provider: ExecutionProvider, threads: number): Promise<ort.InferenceSession> {
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 3,
    // A plan of memory is kept beside the arena that holds as much already: a training step of an encoder took 1,836 MiB
    // with it and 1,034 MiB without, in the same time.
    enableMemPattern: false,
    // Idle threads would otherwise spin: with both cores of a machine also wanted by others, a training step took two to
    // four times as long (107 ms against 254-465 ms).
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  return ort.InferenceSession.create(model, settings).catch((cause) => {
    const reason = `a session on "${provider}" does not start: ${firstLine(cause.message)}`;
    throw new SessionError(`${reason}${needs[provider]}`, { cause });
  });
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

function toValue(input: ort.InferenceSession.ValueMetadata, tensor: Tensor | undefined): ort.Tensor {
  if (!input.isTensor) throw new SessionError(`input "${input.name}" is not a tensor`);
  if (!tensor) throw new SessionError(`input "${input.name}" is missing`);
  const { name, type, shape } = input;
  const expected = dataTypes[type as DataType];
  if (!(tensor.data instanceof expected.array)) {
    throw new SessionError(`input "${name}" takes ${type}, not ${tensor.data.constructor.name}`);
  }
  const fits =
    shape.length === tensor.shape.length && shape.every((dim, i) => typeof dim === "string" || dim === tensor.shape[i]);
  if (!fits) throw new SessionError(`input "${name}" takes [${shape.join(", ")}], not [${tensor.shape.join(", ")}]`);
  if (elementCount(tensor.shape) !== tensor.data.length) {
    throw new SessionError(`input "${name}" [${tensor.shape.join(", ")}] cannot hold ${tensor.data.length} elements`);
  }
  return new ort.Tensor(type, tensor.data as never, tensor.shape);
}

function fromValues(values: ort.InferenceSession.ReturnType): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { shape: value.dims, data: value.data as Tensor["data"] }]),
  );
}
