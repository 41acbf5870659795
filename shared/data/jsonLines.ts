/** Lines of JSON that Millrace itself wrote: nothing about them is checked again. */
import { createReadStream } from "node:fs";
import { splitLines } from "./lines.ts";

export async function* readJsonLines<Value>(path: string): AsyncGenerator<Value> {
  for await (const { bytes } of splitLines(createReadStream(path), Number.POSITIVE_INFINITY)) {
    yield JSON.parse(bytes!.toString()) as Value;
  }
}
