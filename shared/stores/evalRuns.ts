/** Rows of eval runs and of their output items. Items and the count of what is done are written at once: none is there twice. */
import type { Readable } from "node:stream";
import { type EvalRunState, evalRunLife } from "../evalRunStates.ts";
import { EvalItemContent, EvalItemRecord, type EvalOutputItem } from "../schemas/evalOutputItem.ts";
import { EvalDataSource, EvalRunRecord } from "../schemas/evalRun.ts";
import type { Payload } from "../schemas/payload.ts";
import { createLeasedRows, type LeasedRows } from "./leasedRows.ts";
import { objectKeysOf } from "./leftovers.ts";
import { type Objects, objectKeys } from "./objects.ts";
import { createPayloads } from "./payloads.ts";
import type { QueryOptions, Table, TransactWrite } from "./table.ts";

export interface EvalRuns extends LeasedRows<EvalRunState, EvalRunRecord> {
  storeSource(run: Pick<EvalRunRecord, "project_id" | "id">, source: EvalDataSource): Promise<Payload>;
  readSource(run: EvalRunRecord): Promise<EvalDataSource>;
  /** Keeps what the attempt gathered, and returns where. */
  storeItems(run: EvalRunRecord, attempt: string, items: Readable): Promise<string>;
  /** Output items, what was said apart from the row where it is large. */
  prepare(items: readonly NewOutputItem[]): Promise<EvalItemRecord[]>;
  /** Adds them, with the changes to the run and other rows; false when the attempt lost its lease or all is over. */
  recordItems(
    run: EvalRunRecord,
    attempt: string,
    changes: Partial<EvalRunRecord>,
    items: readonly EvalItemRecord[],
    also?: readonly TransactWrite[],
  ): Promise<boolean>;
  items(run: Pick<EvalRunRecord, "project_id" | "id">, options: QueryOptions): Promise<EvalOutputItem[]>;
  item(run: Pick<EvalRunRecord, "project_id" | "id">, id: string): Promise<EvalOutputItem | undefined>;
  /** Everything of the run, and at last its row. */
  remove(run: EvalRunRecord): Promise<void>;
}

export type NewOutputItem = Omit<EvalItemRecord, "content"> & { content: EvalItemContent };

const itemsOf = (run: Pick<EvalRunRecord, "project_id" | "id">) => `${run.project_id}#eval_item#${run.id}`;
const keyOf = (item: Pick<EvalItemRecord, "project_id" | "run_id" | "id">) => {
  return { pk: itemsOf({ project_id: item.project_id, id: item.run_id }), sk: item.id };
};
/** Rows read at once to be deleted. */
const page = 100;

export function createEvalRuns(table: Table, objects: Objects): EvalRuns {
  const payloads = createPayloads(objects);
  const rows = createLeasedRows<EvalRunState, EvalRunRecord>(table, {
    kind: "eval_run",
    noun: "eval_run",
    parse: (item) => EvalRunRecord.parse(item),
    life: evalRunLife,
    settles: ["completed", "failed", "canceled", "deleting"],
    tells: { completed: "eval.run.succeeded", failed: "eval.run.failed", canceled: "eval.run.canceled" },
  });
  const opened = async (item: Record<string, unknown>): Promise<EvalOutputItem> => {
    const { content, project_id, ...row } = EvalItemRecord.parse(item);
    return { object: "eval.run.output_item", ...row, ...EvalItemContent.parse(await payloads.get(content)) };
  };
  const removeItems = async (run: EvalRunRecord) => {
    for (;;) {
      const found = (await table.query(itemsOf(run), { limit: page })).map((item) => EvalItemRecord.parse(item));
      if (found.length === 0) return;
      await Promise.all(objectKeysOf(found.map(({ content }) => content)).map((key) => objects.delete(key)));
      await Promise.all(found.map((item) => table.delete(keyOf(item))));
    }
  };

  return {
    ...rows,
    storeSource: ({ project_id, id }, source) =>
      payloads.put(objectKeys.evalRun(project_id, id, "source.json"), source),
    readSource: async ({ data_source }) => EvalDataSource.parse(await payloads.get(data_source)),
    async storeItems({ project_id, id }, attempt, items) {
      const key = objectKeys.evalRun(project_id, id, `items-${attempt}.jsonl`);
      await objects.put(key, items);
      return key;
    },
    prepare: (items) =>
      Promise.all(
        items.map(async (item) => {
          const key = objectKeys.evalRun(item.project_id, item.run_id, `${item.id}.json`);
          return { ...item, content: await payloads.put(key, item.content) };
        }),
      ),
    recordItems(run, attempt, changes, items, also = []) {
      const writes = items.map((item) => ({ type: "create" as const, key: keyOf(item), item }));
      return rows.record(run, attempt, changes, [...writes, ...also]);
    },
    async items(run, options) {
      return Promise.all((await table.query(itemsOf(run), options)).map(opened));
    },
    async item(run, id) {
      const found = await table.get(keyOf({ ...run, run_id: run.id, id }));
      return found && opened(found);
    },
    async remove(run) {
      await removeItems(run);
      const keys = [...objectKeysOf([run.data_source]), ...(run.items_key === null ? [] : [run.items_key])];
      await Promise.all(keys.map((key) => objects.delete(key)));
      await table.delete({ pk: `${run.project_id}#eval_run`, sk: run.id });
    },
  };
}
