/** From a folder's files to a model of the deployment: objects first, the row last, so that a row never promises too much. */
import { join } from "node:path";
import { findBaseModel } from "../../shared/baseModels.ts";
import { fileDigest } from "../../shared/fileDigest.ts";
import {
  type BaseRecord,
  baseDigest,
  baseIdPattern,
  type ImportedRecord,
  type OnnxRecord,
} from "../../shared/schemas/base.ts";
import { type BaseContent, BaseFile, type Variant } from "../../shared/schemas/baseContent.ts";
import type { Model } from "../../shared/schemas/model.ts";
import type { Signature } from "../../shared/schemas/tensor.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { Refusal } from "./refusal.ts";

export interface Import {
  id: string;
  directory: string;
  /** Names of the files to store. */
  files: readonly string[];
  /** Whether another content may be put in the place of what has the id; "changed": if it is another. */
  replace: boolean | "changed";
  /** Whether workers are to answer for it, whatever its size. */
  heavy?: boolean | undefined;
  /** What was measured of a checkpoint before. */
  variant?: Variant | undefined;
}

export interface Imported<Imports extends ImportedRecord = ImportedRecord> {
  record: Imports;
  outcome: "imported" | "replaced" | "unchanged";
}

/** A folder's or repository's name as an id. */
export function idFrom(name: string): string {
  return requireId(
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]+/g, "-")
      .replace(/^[^a-z0-9]+/, ""),
  );
}

export function requireId(id: string): string {
  if (!baseIdPattern.test(id)) {
    const rule =
      "up to 100 letters a to z, digits, dots, hyphens and underscores, of which the first is a letter or digit";
    throw new Refusal(`"${id}" cannot be the id of a base: give one with --id, ${rule}.`);
  }
  if (findBaseModel(id)) throw new Refusal(`"${id}" comes with Millrace: give another id with --id.`);
  return id;
}

type Destination = Pick<Stores, "bases" | "objects">;

/** A checkpoint. Throws Refusal, before anything is stored, where the id has other content and `replace` is not set. */
export function importBase(stores: Destination, request: Import): Promise<Imported<BaseRecord>> {
  const { variant } = request;
  return importFiles(stores, request, (model) => ({
    ...model,
    architecture: "pretrained",
    ...(variant && { variant }),
  }));
}

/** One ONNX file, as `importBase`. */
export function importOnnx(stores: Destination, request: Import, signature: Signature): Promise<Imported<OnnxRecord>> {
  return importFiles(stores, request, (model) => ({ ...model, architecture: "onnx", ...signature }));
}

async function importFiles<Imports extends ImportedRecord>(
  { bases, objects }: Destination,
  { id, directory, files, replace, heavy = false }: Import,
  recordOf: (model: Model & BaseContent) => Imports,
): Promise<Imported<Imports>> {
  // A row with a name that the schema refuses would be unreadable, and every list of models with it.
  const odd = files.find((name) => !BaseFile.shape.name.safeParse(name).success);
  if (odd !== undefined) throw new Refusal(`${JSON.stringify(odd)} cannot be a file's name here: rename it.`);
  const hashed = await Promise.all(
    files.map(async (name) => ({ name, digest: await fileDigest(join(directory, name)) })),
  );
  const digest = baseDigest(hashed);
  const earlier = await bases.get(id);
  // The same files are the same kind of model.
  if (earlier?.digest === digest && replace !== true) {
    const record = { ...earlier, ...(heavy && { heavy }) } as Imports;
    const isMarked = heavy && !earlier.heavy && (await bases.replace(record, digest));
    return { record, outcome: isMarked ? "replaced" : "unchanged" };
  }
  if (earlier && !replace) throw taken(id);
  const stored: BaseFile[] = [];
  for (const file of hashed) {
    const object_key = objectKeys.base(id, digest, file.name);
    const object = await objects.putFile(object_key, join(directory, file.name));
    if (object.digest !== file.digest) throw new Refusal(`${file.name} changed while it was imported: try again.`);
    stored.push({ ...file, object_key, bytes: object.bytes });
  }
  const created = Math.floor(Date.now() / 1000);
  const model = recordOf({ id, object: "model", created, owned_by: "millrace", digest, files: stored });
  const record = { ...model, ...(heavy && { heavy }) };
  const written = await (earlier ? bases.replace(record, earlier.digest) : bases.create(record));
  if (!written) throw taken(id);
  return { record, outcome: earlier ? "replaced" : "imported" };
}

const taken = (id: string) =>
  new Refusal(`"${id}" is taken by a base of other content: give another id with --id, or --replace it.`);
