/** Files of models gone wrong, given to all that reads them: each is read or refused by an error of our own, and nothing else. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../../infra/models/refusal.ts";
import { openFolder } from "../../infra/models/source.ts";
import { readSafetensors, SafetensorsError, toOnnx, writeSafetensors } from "../../shared/engine/index.ts";
import { OnnxFileError, readOnnxFile } from "../../shared/engine/onnxFile.ts";
import { encodeModel, type NodeProto, type ValueInfoProto } from "../../shared/engine/onnxSchema.ts";
import { type Device, DeviceError, startDevice } from "../../shared/engine/runtime/device.ts";
import { CheckpointError } from "../../shared/engine/weights/checkpointConfig.ts";
import { toFloat32 } from "../../shared/engine/weights/floats.ts";
import { readAdapter } from "../../shared/engine/weights/peftAdapter.ts";
import { tinyBuilt, tinyConfigs } from "../shared/engine/models/tinyModels.ts";
import { doublerOnnx } from "../support/doublerOnnx.ts";
import { tinyCheckpoint } from "../support/tinyCheckpoint.ts";
import { type Draw, drawing, mutated, onHeader, onJson, onMessage } from "./fuzzMutations.ts";

export interface FileTally {
  files: number;
  read: number;
  refused: number;
  /** Sessions that were tried of ONNX files that were read; those that did not start; device processes that died of it. */
  sessions: { tried: number; refused: number; died: number };
  /** What was neither read nor refused, with the seed that makes it again. */
  faults: string[];
  slowestMilliseconds: number;
}

interface Kind {
  /** Of a hundred files, so many. */
  share: number;
  make(draw: Draw): Promise<Attempt> | Attempt;
}

interface Attempt {
  read(): unknown;
  /** A session may be tried of it when it was read. */
  onnx?: Buffer;
}

const own = [OnnxFileError, SafetensorsError, CheckpointError, Refusal];

/** A node with a branch in each of its two graphs. */
function branching(): Uint8Array {
  const dim = { dimValue: 2 };
  const value = (name: string, elemType = 1): ValueInfoProto => ({
    name,
    type: { tensorType: { elemType, shape: { dim: elemType === 9 ? [] : [dim] } } },
  });
  const node = (opType: string, input: string[], output: string): NodeProto => ({
    opType,
    name: output,
    input,
    output: [output],
    attribute: [],
  });
  const branch = (name: string, opType: string) => ({
    name,
    node: [node(opType, ["x"], name)],
    input: [],
    output: [value(name)],
  });
  const attribute = [
    { name: "then_branch", type: 5, g: branch("a", "Neg") },
    { name: "else_branch", type: 5, g: branch("b", "Abs") },
  ];
  return encodeModel({
    name: "g",
    node: [{ ...node("If", ["c"], "y"), attribute }],
    input: [value("x"), value("c", 9)],
    output: [value("y")],
  });
}

function encoder(): Uint8Array {
  const { output, scope, weights } = tinyBuilt("bert", { head: "sequence", labels: 2 });
  const initializers = Object.fromEntries(scope.parameters.map(({ name }) => [name!, weights[name!]!.data]));
  return toOnnx({ outputs: { logits: output }, initializers });
}

const pick = <T>(list: readonly T[], draw: Draw): T => list[draw(list.length)]!;

/** What a folder of a model may hold, as text; each kind of text model once. */
function texts(): Record<string, Record<string, Buffer>> {
  const vocabulary = tinyCheckpoint()["vocab.txt"].trimEnd().split("\n");
  const tokenizer = {
    version: "1.0",
    added_tokens: [
      { id: 0, content: "[PAD]", special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
    ],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Split", pattern: { Regex: "\\s+" }, behavior: "Removed", invert: false },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: {},
    },
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges: ["a b", "c d"],
      unk_token: "[UNK]",
    },
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const settings = {
    "tokenizer_config.json": json({
      chat_template: [{ name: "default", template: "{{ messages[0].content }}" }],
      eos_token: { content: "[SEP]" },
    }),
    "generation_config.json": json({ eos_token_id: [1, 2] }),
  };
  const adapter = { peft_type: "LORA", r: 2, lora_alpha: 4, target_modules: ["query"], base_model_name_or_path: "x" };
  return {
    bert: { "config.json": json(tinyConfigs.bert), "vocab.txt": Buffer.from(`${vocabulary.join("\n")}\n`) },
    gpt2: { "config.json": json(tinyConfigs.gpt2), "tokenizer.json": json(tokenizer), ...settings },
    llama: {
      "config.json": json(tinyConfigs.llama3),
      "tokenizer.json": json(tokenizer),
      "chat_template.jinja": Buffer.from("{% for m in messages %}{{ m.content }}{% endfor %}"),
      ...settings,
    },
    adapter: { "adapter_config.json": json(adapter) },
  };
}

function kindsOf(directory: string): Kind[] {
  const onnx = [doublerOnnx(), branching(), encoder()].map((bytes) => Buffer.from(bytes));
  const weights = writeSafetensors(
    {
      a: { shape: [2, 3], data: new Float32Array(6) },
      b: { shape: [], data: BigInt64Array.of(1n) },
      c: { shape: [4], data: new Uint16Array(4), dataType: "bfloat16" },
    },
    { format: "pt" },
  );
  const checkpoints = (["bert", "gpt2", "llama3"] as const).map((name) => {
    const { weights: tensors } = tinyBuilt(name, { head: name === "bert" ? "sequence" : "causal", labels: 2 });
    return Buffer.from(writeSafetensors(tensors));
  });
  const tensorFiles = [Buffer.from(weights), ...checkpoints];
  const folders = Object.entries(texts());
  const index = Buffer.from(
    JSON.stringify({ metadata: {}, weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } }),
  );
  return [
    {
      share: 55,
      make(draw) {
        const bytes = mutated(pick(onnx, draw), draw, onnx, onMessage);
        return { read: () => readOnnxFile(bytes), onnx: bytes };
      },
    },
    {
      share: 30,
      make(draw) {
        const bytes = mutated(pick(tensorFiles, draw), draw, tensorFiles, onHeader);
        return { read: () => [...readSafetensors(bytes).tensors].map(([name, tensor]) => toFloat32(name, tensor)) };
      },
    },
    {
      share: 15,
      async make(draw) {
        const [kind, files] = pick(folders, draw);
        const place = ["bert", "gpt2", "llama"].indexOf(kind);
        const content: Record<string, Buffer> = { ...files };
        if (place >= 0) content[draw(4) ? "model.safetensors" : "model.safetensors.index.json"] = checkpoints[place]!;
        else content["adapter_model.safetensors"] = tensorFiles[0]!;
        if (content["model.safetensors.index.json"])
          Object.assign(content, { "model.safetensors.index.json": index, "model-1.safetensors": checkpoints[0]! });
        const names = Object.keys(content);
        for (let i = 0; i <= draw(2); i++) {
          const name = pick(names, draw);
          const fitting = name.endsWith(".safetensors") ? onHeader : onJson;
          content[name] = mutated(content[name]!, draw, Object.values(content), fitting);
        }
        await rm(directory, { recursive: true, force: true }).then(() => mkdir(directory));
        for (const [name, bytes] of Object.entries(content)) await writeFile(join(directory, name), bytes);
        return { read: () => (place < 0 ? readAdapter(directory) : openFolder(directory)) };
      },
    },
  ];
}

export interface FileFuzz {
  files: number;
  seed: number;
  /** How many of the ONNX files that were read are given to the runtime. */
  sessions: number;
  tell?: (line: string) => void;
}

/** File `i` of a seed is the same whatever came before it. */
export async function fuzzFiles({ files, seed, sessions, tell = () => {} }: FileFuzz): Promise<FileTally> {
  const home = await mkdtemp(join(tmpdir(), "millrace-fuzz-"));
  const kinds = kindsOf(join(home, "model"));
  const slots = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind));
  const tally: FileTally = {
    files: 0,
    read: 0,
    refused: 0,
    sessions: { tried: 0, refused: 0, died: 0 },
    faults: [],
    slowestMilliseconds: 0,
  };
  const trial = new Trial(tally, join(home, "model.onnx"));
  const every = Math.max(1, Math.floor((files * 0.55 * 0.1) / Math.max(1, sessions)));
  let passed = 0;
  for (let i = 0; i < files; i++) {
    const draw = drawing(seed * 1_000_003 + i);
    const { read, onnx } = await slots[draw(slots.length)]!.make(draw);
    const isRead = await attempt(tally, `file ${i} of seed ${seed}`, read);
    if (isRead && onnx && tally.sessions.tried < sessions && passed++ % every === 0)
      await trial.of(onnx, `file ${i} of seed ${seed}`);
    if (i % 10_000 === 9999)
      tell(`${i + 1} files: ${tally.read} read, ${tally.refused} refused, ${tally.faults.length} faults`);
  }
  trial.end();
  await rm(home, { recursive: true, force: true });
  return tally;
}

async function attempt(tally: FileTally, title: string, read: () => unknown): Promise<boolean> {
  const started = performance.now();
  tally.files++;
  try {
    await read();
    tally.read++;
    return true;
  } catch (error) {
    const isOwn = own.some((kind) => error instanceof kind) && (error as Error).message.length < 2000;
    if (isOwn) tally.refused++;
    else tally.faults.push(`${title}: ${String((error as Error)?.stack ?? error).slice(0, 700)}`);
    return false;
  } finally {
    tally.slowestMilliseconds = Math.max(tally.slowestMilliseconds, performance.now() - started);
    const left = Object.keys(Object.prototype);
    if (left.length > 0) tally.faults.push(`${title}: a polluted prototype: ${left}`);
  }
}

/** What the runtime says of a file that was read, in a process of its own. */
class Trial {
  readonly #tally: FileTally;
  readonly #path: string;
  #device: Device | undefined;

  constructor(tally: FileTally, path: string) {
    this.#tally = tally;
    this.#path = path;
  }

  async of(onnx: Buffer, title: string): Promise<void> {
    const { sessions, faults } = this.#tally;
    await writeFile(this.#path, onnx);
    if (!this.#device?.alive) this.#device = startDevice({ threads: 1 });
    const device = this.#device;
    const impatience = setTimeout(() => device.kill(), 60_000);
    sessions.tried++;
    try {
      await device.call("inspect", { path: this.#path });
    } catch (error) {
      if (!(error instanceof DeviceError)) faults.push(`${title}: ${error}`);
      else if (/^The device process/.test(error.message)) sessions.died++;
      else if (/^SessionError: /.test(error.message)) sessions.refused++;
      else faults.push(`${title}: the device says ${error.message.slice(0, 500)}`);
    } finally {
      clearTimeout(impatience);
    }
  }

  end(): void {
    this.#device?.kill();
  }
}
