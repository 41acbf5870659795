/** A recipe's last base as the project ships it: float16, with its card. */
import { copyFile, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeBase } from "../../../shared/engine/pretraining/newBase.ts";
import { readIfPresent } from "../../../shared/engine/weights/checkpointFiles.ts";

const models = fileURLToPath(new URL("../../../shared/models", import.meta.url));
/** Of all files of a base. */
export const mostBytes = 20_000_000;

const files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/** Gives the folder; what was there goes, and with it in which precision it was best served, unless the weights are the same. Throws RangeError for a base that is too large to ship. */
export async function ship(id: string, base: string): Promise<string> {
  const folder = join(models, id);
  await mkdir(models, { recursive: true });
  const measured = await readIfPresent(folder, "variant.json");
  const before = await readIfPresent(folder, "model.safetensors");
  await writeBase(folder, base, {}, { half: true });
  const isSame = before?.equals((await readIfPresent(folder, "model.safetensors"))!);
  if (measured && isSame) await writeFile(join(folder, "variant.json"), measured);
  await copyFile(fileURLToPath(new URL(`cards/${id}.md`, import.meta.url)), join(folder, "README.md"));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > mostBytes) throw new RangeError(`${id} has ${bytes} bytes, more than ${mostBytes}`);
  return folder;
}
