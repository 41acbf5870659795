/**
 * The only door to ONNX Runtime. A run blocks this process's event loop while it computes: sessions belong in a device
 * process.
 */
import "./telemetry.ts";
import * as ort from "onnxruntime-node";
import { type DataType, dataTypes, type Tensor } from "../dataTypes.ts";
import { elementCount } from "../shape.ts";

export interface SessionOptions {
  /**
   * Threads one op may use. Results are reproducible bit for bit for a fixed number, not between numbers. Default 2.
   */
  readonly threads?: number;
  /** Default "cpu". */
  readonly executionProvider?: ExecutionProvider;
}
export type ExecutionProvider = "cpu" | "cuda";

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
 * A session for a model from `toOnnx`. Throws SessionError for a provider that is not installed or a model that does
 * not load.
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

// What to install, said when a session on the provider does not start.
const providers: Record<ExecutionProvider, string> = {
  cpu: "",
  cuda: "; it needs CUDA 12, cuDNN 9 and what onnxruntime-node's install script downloads (npm rebuild onnxruntime-node)",
};

async function load(model: Uint8Array, options: SessionOptions): Promise<ort.InferenceSession> {
  const { threads = 2, executionProvider = "cpu" } = options;
  if (!Object.hasOwn(providers, executionProvider)) {
    const known = Object.keys(providers).join(", ");
    throw new SessionError(`execution provider "${executionProvider}" is not known; known: ${known}`);
  }
  if (!Number.isInteger(threads) || threads < 1)
    throw new SessionError(`threads must be a positive integer, not ${threads}`);
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: [executionProvider],
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
    const reason = `a session on "${executionProvider}" does not start: ${firstLine(cause.message)}`;
    throw new SessionError(`${reason}${providers[executionProvider]}`, { cause });
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
