/** The DynamoDB server: dynalite's engine behind our own door, with transactions, time to live and atomic indexes added. */
import { jsonHandler } from "../awsJson.ts";
import { type Listener, listen } from "../listen.ts";
import { type Engine, openEngine } from "./engine.ts";
import { runOperation } from "./operations.ts";
import { sweepExpired } from "./timeToLive.ts";
import { sweepTokens } from "./transactions.ts";

async function sweep(engine: Engine): Promise<void> {
  await sweepExpired(engine);
  await sweepTokens(engine);
}

/** Sweeps again and again, one sweep at a time. Returns a function that ends it and waits for the sweep under way. */
function keepSweeping(engine: Engine, milliseconds: number): () => Promise<void> {
  let sweeping: Promise<void> | undefined;
  const timer = setInterval(() => {
    sweeping ??= sweep(engine)
      .catch((error: Error) => console.error(`DynamoDB sweep failed: ${error.message}`))
      .finally(() => {
        sweeping = undefined;
      });
  }, milliseconds).unref();
  return async () => {
    clearInterval(timer);
    await sweeping;
  };
}

/** Serves DynamoDB from `folder`; port 0 means any free one. */
export async function startDynamoDb(folder: string, port: number, sweepMilliseconds: number): Promise<Listener> {
  const engine = await openEngine(folder);
  const stopSweeping = keepSweeping(engine, sweepMilliseconds);
  const listener = await listen(
    jsonHandler((call) => runOperation(engine, call)),
    port,
  );
  return {
    url: listener.url,
    async close() {
      await listener.close();
      await stopSweeping();
      await engine.close();
    },
  };
}
