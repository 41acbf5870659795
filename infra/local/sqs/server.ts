/** The SQS server: AWS's JSON protocol over queues and messages in one SQLite file. */
import { jsonHandler } from "../awsJson.ts";
import { type Listener, listen } from "../listen.ts";
import { openBroker, sweepExpired } from "./broker.ts";
import { runOperation } from "./operations.ts";

const sweepMilliseconds = 60_000;

/** Serves SQS from `file`; port 0 means any free one. `now` replaces the clock in tests of retention. */
export async function startSqs(file: string, port: number, now: () => number = Date.now): Promise<Listener> {
  const broker = openBroker(file, now);
  sweepExpired(broker);
  const sweeper = setInterval(() => sweepExpired(broker), sweepMilliseconds).unref();
  const listener = await listen(
    jsonHandler((call) => runOperation(broker, call)),
    port,
  );
  return {
    url: listener.url,
    async close() {
      clearInterval(sweeper);
      broker.polls.close();
      await listener.close();
      broker.database.close();
    },
  };
}
