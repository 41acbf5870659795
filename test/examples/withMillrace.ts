/** A Millrace for one piece of work, stopped again whatever comes of it. */
import { type Millrace, startMillrace } from "../../infra/local/millrace.ts";

/** The work is done, or Ctrl-C (or SIGTERM) came before. */
export type Ending = "done" | "interrupted";

/** Rejects with what the start or the work failed with. What interrupted work still has in flight is not waited for. */
export async function withMillrace(
  home: string,
  work: (millrace: Promise<Millrace>) => Promise<void>,
  environment: Record<string, string> = {},
): Promise<Ending> {
  const interrupted = Promise.withResolvers<Ending>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.resolve("interrupted"));
  const millrace = startMillrace({ home, port: 0, environment });
  try {
    return await Promise.race([work(millrace).then((): Ending => "done"), interrupted.promise]);
  } finally {
    // Stopped also where the start was still under way; where it failed there is nothing to stop.
    const running = await millrace.catch(() => undefined);
    await running?.stop();
  }
}
