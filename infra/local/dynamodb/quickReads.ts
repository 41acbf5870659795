/** LevelDB finds a row in some microseconds; to hand that to another thread and back takes ten times as long. */
import type { Level } from "./dynalite.ts";

/** Makes reads of single rows happen where they are asked for. Who asks still hears of it in a later turn. */
export function readAtOnce(db: Level): void {
  const { get } = db;
  db.get = (key, callback) => {
    // One that is not open yet, or no longer, has its own way to say so.
    if (db.status !== "open") return get.call(db, key, callback);
    try {
      setImmediate(callback, null, db.getSync(key));
    } catch (error) {
      setImmediate(callback, error);
    }
  };
}
