/** What a base does in a precision, measured where it would be served. */
import { readPretrained } from "../../models/pretrained.ts";
import { readInPrecision } from "../../quantization/variantReading.ts";
import type { Implementations } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { inTurn } from "./inTurn.ts";

export const measuring: Implementations<"measure"> = {
  async measure({ directory, texts, precision }) {
    const pretrained = await readPretrained(directory);
    return inTurn(() => readInPrecision(pretrained, texts, precision, deviceThreads()));
  },
};
