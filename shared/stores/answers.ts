/** Rows of answers that workers make for the API, and the events of those that are streamed. */
import { type AnswerState, answerLife } from "../answerStates.ts";
import { AnswerChunk, AnswerRecord } from "../schemas/answerTask.ts";
import { createLeasedRows, type LeasedRows, type RowName } from "./leasedRows.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Answers extends LeasedRows<AnswerState, AnswerRecord> {
  /** Chunks that an attempt wrote, from number `first` on, in order. */
  chunks(answer: RowName, attempt: string, first: number): Promise<AnswerChunk[]>;
}

const partition = ({ project_id, id }: RowName, attempt: string) => `${project_id}#answer_chunk#${id}#${attempt}`;
const sortKey = (number: number) => String(number).padStart(8, "0");
const everyChunk = 1_000_000;

/** Chunk `number`, from 0, as part of a write by the holder of the lease. */
export function chunkWrite(answer: RowName, attempt: string, number: number, chunk: AnswerChunk): TransactWrite {
  return { type: "create", key: { pk: partition(answer, attempt), sk: sortKey(number) }, item: chunk };
}

export function createAnswers(table: Table): Answers {
  const rows = createLeasedRows<AnswerState, AnswerRecord>(table, {
    kind: "answer",
    noun: "answer",
    parse: (item) => AnswerRecord.parse(item),
    life: answerLife,
  });
  return {
    ...rows,
    transition(answer, to, options = {}) {
      const finished = answerLife.isFinal(to) ? { finished_at: Math.floor(Date.now() / 1000) } : {};
      return rows.transition(answer, to, { ...options, changes: { ...finished, ...options.changes } });
    },
    async chunks(answer, attempt, first) {
      const after = first === 0 ? undefined : sortKey(first - 1);
      const items = await table.query(partition(answer, attempt), { limit: everyChunk, after });
      return items.map((item) => AnswerChunk.parse(item));
    },
  };
}
