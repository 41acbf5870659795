/** The bases that come with Millrace as files, in `shared/models/`: put into a deployment, and kept as they are shipped. */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Variant } from "../../shared/schemas/baseContent.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { type Imported, importBase } from "./importBase.ts";

const shippedModels = fileURLToPath(new URL("../../shared/models/", import.meta.url));

/** What lies beside a checkpoint and is no part of it: its card, and in which precision it was found to be best served. */
const card = "README.md";
const variantFile = "variant.json";

/** Ids of the shipped bases: each is the name of a folder. */
export function shippedBases(models = shippedModels): string[] {
  return existsSync(models) ? readdirSync(models).filter((id) => existsSync(join(models, id, "config.json"))) : [];
}

/**
 * Stores each base that is not there yet, or is there as an earlier version shipped it. Models tuned from that one keep its
 * files. A second start finds the same digests and stores nothing.
 */
export async function installShipped(
  stores: Pick<Stores, "bases" | "objects">,
  models = shippedModels,
): Promise<Imported["outcome"][]> {
  return Promise.all(shippedBases(models).map((id) => install(stores, id, join(models, id))));
}

async function install(stores: Pick<Stores, "bases" | "objects">, id: string, directory: string) {
  const names = readdirSync(directory);
  const files = names.filter((name) => name !== card && name !== variantFile);
  const variant = names.includes(variantFile) ? await readVariant(join(directory, variantFile)) : undefined;
  const { outcome } = await importBase(stores, { id, directory, files, variant, replace: "changed" });
  return outcome;
}

async function readVariant(path: string): Promise<Variant> {
  return Variant.parse(JSON.parse(await readFile(path, "utf8")));
}
