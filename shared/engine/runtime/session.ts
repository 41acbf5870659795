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

/** What a model declares of an input or output. */
export interface Declared {
  readonly name: string;
  /** What is no tensor at all is a "sequence, map or optional". */
  readonly type: string;
  /** Sizes, or names of sizes; "" where one has neither. */
  readonly shape: readonly (number | string)[];
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputs: readonly Declared[];
  readonly outputs: readonly Declared[];
  /**
   * Computes the outputs asked for, by default every one. Throws SessionError naming a feed that is missing, unknown, or
   * of another data type or shape.
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputs?: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** The model or a feed was refused; the message says which and why. */
export class SessionError extends Error {
  override name = "SessionError";
}

/**
 * A session for a model from `toOnnx`, or for the ONNX file of that path. Throws SessionError for a device that is not
 * there, naming what is missing, or a model that does not load.
 */
export async function createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  const session = await load(model, options);
  const inputs = new Map(session.inputMetadata.map((input) => [input.name, input]));
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    inputs: session.inputMetadata.map(declared),
    outputs: session.outputMetadata.map(declared),
    run: async (feeds, outputs = session.outputNames) => {
      const stray = Object.keys(feeds).find((name) => !inputs.has(name));
      if (stray !== undefined) throw new SessionError(`the model has no input "${stray}"`);
      const values = [...inputs.values()].map((input) => [input.name, toValue(input, feeds[input.name])]);
      return fromValues(await session.run(Object.fromEntries(values), [...outputs]));
    },
    release: () => session.release(),
  };
}

function declared(value: ort.InferenceSession.ValueMetadata): Declared {
  const { name } = value;
  return value.isTensor
    ? { name, type: value.type, shape: value.shape }
    : { name, type: "sequence, map or optional", shape: [] };
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

async function load(model: Uint8Array | string, { threads = 2, device = processDevice }: SessionOptions) {
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

async function start(
  model: Uint8Array | string,
  provider: ExecutionProvider,
  threads: number,
): Promise<ort.InferenceSession> {
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
  const session =
    typeof model === "string"
      ? ort.InferenceSession.create(model, settings)
      : ort.InferenceSession.create(model, settings);
  return session.catch((cause) => {
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
  const value = new ort.Tensor(type, tensor.data as never, tensor.shape);
  // It has become a Float16Array, which the native side takes for one of no bytes (onnxruntime-node 1.30.0, Node.js 24).
  return type === "float16" ? Object.assign(value, { cpuData: tensor.data }) : value;
}

function fromValues(values: ort.InferenceSession.ReturnType): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, { dims, data }]) => [name, { shape: dims, data: bitsOf(data) }]),
  );
}

/** Half precision as its bits, which is what `dataTypes` has. */
function bitsOf(data: ort.Tensor["data"]): Tensor["data"] {
  return data instanceof Float16Array
    ? new Uint16Array(data.buffer, data.byteOffset, data.length)
    : (data as Tensor["data"]);
}
