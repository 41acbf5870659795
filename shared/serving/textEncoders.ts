/** How imported bases read texts, kept in this process: the device is given token ids, of lengths that are known. */
import { keptPromise } from "../engine/keptPromise.ts";
import { openEncoder, type TextEncoder } from "../engine/models/adaptedBase.ts";
import type { BaseContent } from "../schemas/baseContent.ts";
import type { BaseFiles } from "./baseFiles.ts";

export interface OpenEncoder extends TextEncoder {
  /** Where the base's files lie. */
  directory: string;
}

export interface TextEncoders {
  open(base: BaseContent): Promise<OpenEncoder>;
}

export function createTextEncoders(bases: BaseFiles): TextEncoders {
  const open = new Map<string, Promise<OpenEncoder>>();
  const read = async (base: BaseContent): Promise<OpenEncoder> => {
    const { path } = await bases.open(base);
    return { directory: path, ...(await openEncoder(path)) };
  };
  return {
    open: (base) => keptPromise(open, base.digest, () => read(base)),
  };
}
