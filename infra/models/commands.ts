/** What the operator's tool does, by the name of the command. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { baseModels, findBaseModel } from "../../shared/baseModels.ts";
import type { BaseRecord, ImportedRecord } from "../../shared/schemas/base.ts";
import { bytesOf } from "../../shared/schemas/baseContent.ts";
import { createBaseFiles } from "../../shared/serving/baseFiles.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { cardOf } from "./card.ts";
import { createHub } from "./hub.ts";
import { idFrom, importBase, importOnnx, requireId } from "./importBase.ts";
import { openOnnx } from "./onnxModel.ts";
import type { Progress } from "./progress.ts";
import { Refusal } from "./refusal.ts";
import { installShipped, shippedBases } from "./shipped.ts";
import { onnxFileOf, openFolder, openHub, type Source } from "./source.ts";
import { type Guard, measureVariants, openGuard } from "./variants.ts";

export interface Call {
  /** What the command is about: a folder, an ONNX file, `hf:org/name`, or an id. */
  subject: string;
  options: {
    id?: string;
    revision?: string;
    replace?: boolean;
    heavy?: boolean;
    files?: boolean;
    guard?: string;
    tolerance?: string;
  };
  environment: NodeJS.ProcessEnv;
  /** Directory of the local state. */
  home: string;
  stores: Pick<Stores, "bases" | "objects">;
  print(line: string): void;
  progress: Progress;
}

export interface Command {
  /** Its arguments, as usage tells them; none where it takes no subject. */
  usage: string;
  run(call: Call): Promise<void>;
}

export const commands: Record<string, Command> = {
  import: {
    usage:
      "<folder | model.onnx | hf:org/name> [--revision r] [--id name] [--replace] [--heavy] [--guard texts.jsonl] [--tolerance points]",
    async run(call) {
      const { options, stores, print } = call;
      if (options.id !== undefined) requireFreeId(options.id);
      const guard = await openGuard(options);
      const source = await open(call);
      const id = requireFreeId(options.id ?? idFrom(source.name));
      const request = {
        id,
        directory: source.directory,
        files: source.files,
        replace: options.replace ?? false,
        heavy: options.heavy,
      };
      const { record, outcome } = source.signature
        ? await importOnnx(stores, request, source.signature)
        : await importBase(stores, request);
      print(`${record.id}: ${outcome}, ${summary(record)}`);
      const isNew = outcome !== "unchanged" && record.architecture === "pretrained";
      const known = isNew ? await withVariant(call, record, source.directory, guard) : record;
      await source.discard();
      for (const line of cardOf(known)) print(line);
    },
  },

  shipped: {
    usage: "",
    async run({ stores, print }) {
      const outcomes = await installShipped(stores);
      for (const [i, id] of shippedBases().entries()) print(`${id}: ${outcomes[i]}`);
    },
  },

  variants: {
    usage: "<id> [--guard texts.jsonl] [--tolerance points]",
    async run(call) {
      const { subject: id, options, stores, print } = call;
      const guard = await openGuard(options);
      const record = await stores.bases.get(id);
      if (!record) throw new Refusal(`There is no imported base "${id}".`);
      if (record.architecture === "onnx") throw new Refusal(`"${id}" is an ONNX model, which is served as it is.`);
      const directory = await mkdtemp(join(tmpdir(), "millrace-variants-"));
      try {
        const { path } = await createBaseFiles(stores.objects, directory).open(record);
        for (const line of cardOf(await withVariant(call, record, path, guard))) print(line);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  },

  list: {
    usage: "",
    async run({ stores, print }) {
      for (const { id, architecture } of baseModels) print(`${id}  comes with Millrace, ${architecture}`);
      for (const record of await stores.bases.list()) {
        print(`${record.id}  imported ${summary(record)}`);
        for (const line of cardOf(record)) print(line);
      }
    },
  },

  remove: {
    usage: "<id> [--files]",
    async run({ subject: id, options, stores, print }) {
      if (findBaseModel(id) || shippedBases().includes(id))
        throw new Refusal(`"${id}" comes with Millrace and cannot be removed.`);
      const record = await stores.bases.get(id);
      if (!record || !(await stores.bases.delete(id))) throw new Refusal(`There is no base "${id}".`);
      if (options.files) for (const file of record.files) await stores.objects.delete(file.object_key);
      print(
        options.files ? `${id}: removed with its files` : `${id}: removed; its files stay for models tuned from it`,
      );
    },
  },
};

/** Throws Refusal also for the id of a base that comes with Millrace as files: the next start would put those back. */
function requireFreeId(id: string): string {
  if (shippedBases().includes(id)) throw new Refusal(`"${id}" comes with Millrace: give another id with --id.`);
  return requireId(id);
}

/** Measures how the base is best served, and writes it into its row. */
async function withVariant({ stores }: Call, record: BaseRecord, directory: string, guard: Guard): Promise<BaseRecord> {
  const measured = { ...record, variant: await measureVariants(directory, guard) };
  if (await stores.bases.replace(measured, record.digest)) return measured;
  throw new Refusal(`"${record.id}" was replaced or removed while it was measured.`);
}

async function open({ subject, options, environment, home, progress }: Call): Promise<Source> {
  if (!subject.startsWith("hf:")) {
    if (options.revision !== undefined) throw new Refusal("--revision is for repositories of the hub: hf:org/name.");
    const onnx = await onnxFileOf(subject);
    return onnx ? openOnnx(onnx.file, onnx.name) : openFolder(subject);
  }
  const hub = createHub({ endpoint: environment.HF_ENDPOINT || "https://huggingface.co", token: environment.HF_TOKEN });
  const request = { repository: subject.slice(3), revision: options.revision ?? "main", downloads: join(home, "hub") };
  return openHub(hub, request, { onProgress: progress });
}

function summary(record: ImportedRecord): string {
  const { digest, files, created } = record;
  const date = new Date(created * 1000).toISOString().slice(0, 10);
  return `${date}, ${files.length} files of ${(bytesOf(record) / 1e6).toFixed(1)} MB, digest ${digest.slice(0, 12)}`;
}
