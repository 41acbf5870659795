/** First step: the items of a run are gathered into one object, checked, and stay as they are however often it is taken up. */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { decodeUtf8, splitLines } from "../../../shared/data/lines.ts";
import { type ItemCheck, itemCheckOf } from "../../../shared/evals/itemSchema.ts";
import { EvalContent, type EvalDataSource, mostEvalItems } from "../../../shared/schemas/evalRun.ts";
import { toApiError } from "../../../shared/validation.ts";
import { Stopped } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import type { Attempt } from "./attempt.ts";
import { recordedItems } from "./recordedItems.ts";

/** Moves the run to `in_progress`. Throws PermanentFailure naming the line at fault. */
export async function gather(attempt: Attempt): Promise<void> {
  const { context, run, lease, directory, halt } = attempt;
  const { evalRuns } = context.stores;
  const source = await evalRuns.readSource(run);
  const path = join(directory, "items.jsonl");
  const lines = counted(attempt, itemsOf(attempt, source));
  await pipeline(Readable.from(lines), createWriteStream(path), { signal: halt });
  const items_key = await evalRuns.storeItems(run, lease.attempt, createReadStream(path));
  const changes = { items_key };
  const moved = await evalRuns.transition(run, "in_progress", { attempt: lease.attempt, changes, from: ["queued"] });
  if (!moved) throw new Stopped("lost");
  Object.assign(run, changes, { status: "in_progress" });
}

async function* counted({ halt }: Attempt, items: AsyncIterable<EvalContent>): AsyncGenerator<string> {
  let count = 0;
  for await (const item of items) {
    halt.throwIfAborted();
    if (++count > mostEvalItems) {
      throw new PermanentFailure("invalid_file", `The source holds more than ${mostEvalItems} items.`);
    }
    yield `${JSON.stringify(item)}\n`;
  }
  if (count === 0) throw new PermanentFailure("invalid_file", "The source holds no item.");
}

async function* itemsOf(attempt: Attempt, { source }: EvalDataSource): AsyncGenerator<EvalContent> {
  if (source.type === "file_content") yield* source.content;
  else if (source.type === "file_id") yield* fileItems(attempt, source.id);
  else yield* recordedItems(attempt, source);
}

async function* fileItems(attempt: Attempt, id: string): AsyncGenerator<EvalContent> {
  const { context, run, directory } = attempt;
  const file = await context.stores.files.get(run.project_id, id);
  if (!file) throw new PermanentFailure("file_deleted", `The file ${id} was deleted before the run began.`);
  const path = join(directory, "source.jsonl");
  await context.stores.objects.download(file.object_key, path);
  const check = checkOf(attempt);
  for await (const { number, bytes } of splitLines(createReadStream(path))) {
    const text = bytes === null ? undefined : decodeUtf8(bytes);
    if (text === undefined) throw faulty(number, "is longer than 4 MiB, or not UTF-8");
    if (text.trim()) yield parseItem(text, number, check);
  }
}

function checkOf({ eval: { data_source_config: config } }: Attempt): ItemCheck | undefined {
  const { properties } = config.schema as { properties?: { item?: Record<string, unknown> } };
  return config.type === "custom" && properties?.item ? itemCheckOf(properties.item) : undefined;
}

function parseItem(text: string, line: number, check: ItemCheck | undefined): EvalContent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw faulty(line, "is no JSON");
  }
  const parsed = EvalContent.safeParse(value);
  if (!parsed.success) throw faulty(line, `is no item: ${toApiError(parsed.error.issues[0]!, value).message}`);
  const fault = check?.(parsed.data.item);
  if (fault) throw faulty(line, `does not fit the eval's schema at 'item.${fault.path}': ${fault.message}`);
  return parsed.data;
}

function faulty(line: number, why: string): PermanentFailure {
  return new PermanentFailure("invalid_file", `Line ${line} of the file ${why}.`.replace(/\.\.$/, "."));
}
