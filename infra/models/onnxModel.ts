/** ONNX files of others' making: whether they can be served, and what they declare. */
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { OnnxFileError, readOnnxFile } from "../../shared/engine/onnxFile.ts";
import { DeviceError, startDevice } from "../../shared/engine/runtime/device.ts";
import type { Declared } from "../../shared/engine/runtime/session.ts";
import {
  type Datatype,
  datatypeNames,
  datatypes,
  type Signature,
  type TensorSignature,
} from "../../shared/schemas/tensor.ts";
import { Refusal } from "./refusal.ts";
import type { Source } from "./source.ts";

export interface OnnxSource extends Source {
  signature: Signature;
}

/** A protobuf message holds less than 2 GiB, and larger models keep their weights in other files. */
const mostBytes = 2 ** 31 - 1;

/** Operators that the runtime has beside the standard ones. */
const knownDomains = ["ai.onnx.ml", "com.microsoft"];

/** Throws Refusal saying why the file cannot be served. */
export async function openOnnx(path: string, name: string): Promise<OnnxSource> {
  const file = resolve(path);
  const found = await stat(file).catch(() => undefined);
  // What is no plain file, such as a pipe, may have no end.
  if (!found?.isFile()) throw new Refusal(`${file} is no file that can be read.`);
  const { size } = found;
  const refuse = (why: string) => new Refusal(`${basename(file)} cannot be served: ${why}.`);
  if (size > mostBytes) throw refuse(`it is larger than 2 GiB (${(size / 2 ** 30).toFixed(1)} GiB)`);
  checkContents(await readFile(file), refuse);
  const signature = signatureOf(await inspect(file, refuse), refuse);
  return { name, directory: dirname(file), files: [basename(file)], signature, discard: async () => {} };
}

type Refuse = (why: string) => Refusal;

function checkContents(bytes: Uint8Array, refuse: Refuse): void {
  try {
    const { foreignOps, external } = readOnnxFile(bytes);
    const [op] = foreignOps.filter(({ domain }) => !knownDomains.includes(domain));
    if (op)
      throw refuse(`its operator ${op.op} is of the domain "${op.domain}", which ONNX Runtime does not have here`);
    if (external.length > 0) {
      throw refuse(`the data of "${external[0]}" lies in another file; save the model as one file`);
    }
  } catch (error) {
    throw error instanceof OnnxFileError ? refuse(error.message) : error;
  }
}

/** The largest files load within a minute; what takes longer may never end. */
const patienceMilliseconds = 10 * 60 * 1000;

/** In a process of its own, which a model may well break. */
async function inspect(path: string, refuse: Refuse) {
  const device = startDevice({ threads: 1 });
  const impatience = setTimeout(() => device.kill(), patienceMilliseconds);
  try {
    return await device.call("inspect", { path });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw refuse(error.message.split("\n", 1)[0]!.replace(/^SessionError: /, ""));
  } finally {
    clearTimeout(impatience);
    device.kill();
  }
}

function signatureOf(
  { inputs, outputs }: Record<"inputs" | "outputs", readonly Declared[]>,
  refuse: Refuse,
): Signature {
  const tensors = (kind: string, all: readonly Declared[]) => {
    const odd = all.find(({ type }) => datatypeOf(type) === undefined);
    if (odd) throw refuse(`its ${kind} "${odd.name}" is of type ${odd.type}; known: ${datatypeNames.join(", ")}`);
    return all.map(tensorOf);
  };
  if (outputs.length === 0) throw refuse("it has no outputs");
  return { inputs: tensors("input", inputs), outputs: tensors("output", outputs) };
}

function datatypeOf(type: string): Datatype | undefined {
  return datatypeNames.find((name) => datatypes[name] === type);
}

function tensorOf({ name, type, shape }: Declared): TensorSignature {
  return { name, datatype: datatypeOf(type)!, shape: shape.map((size) => (size === "" ? -1 : size)) };
}
