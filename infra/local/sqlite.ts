/** How the S3 and SQS servers open node:sqlite: write-ahead log, cached tagged statements, immediate transactions. */
import { DatabaseSync, type SQLTagStore } from "node:sqlite";

export type Database = {
  /** Tagged statements, such as sql.get`select * from queues where name = ${name}`. */
  sql: SQLTagStore;
  /** Commits what `body` wrote when it returns, rolls it back when it throws. Not nestable. */
  transaction<T>(body: () => T): T;
  close(): void;
};

/**
 * `synchronous = normal` keeps every commit through kill -9, because the log is in the kernel's hands; only a power
 * cut may lose the last commits, which a development machine can bear.
 */
export function openDatabase(file: string, schema: string): Database {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000;");
  database.exec(schema);
  return {
    sql: database.createTagStore(),
    transaction(body) {
      database.exec("begin immediate");
      try {
        const result = body();
        database.exec("commit");
        return result;
      } catch (error) {
        database.exec("rollback");
        throw error;
      }
    },
    close: () => database.close(),
  };
}
