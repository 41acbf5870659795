/** Recorded completions are sent in portions. The deployment knows them by their old ids, so a portion may be sent again. */
import OpenAI from "openai";
import type { InferenceImport } from "../../shared/schemas/importedInference.ts";
import { type Calls, forEach } from "./calls.ts";
import type { Recorded } from "./conversations.ts";
import type { Problem } from "./problem.ts";

export interface Inferences {
  imported: number;
  present: number;
  problems: Problem[];
}

/** Of one request, well under the four MiB and the hundred that the API takes. */
const most = { bytes: 2 * 1024 * 1024, items: 50 };
const atOnce = 4;

export async function importInferences(calls: Calls, recorded: readonly Recorded[]): Promise<Inferences> {
  const result: Inferences = { imported: 0, present: 0, problems: [] };
  let done = 0;
  await forEach(portionsOf(recorded), atOnce, async (portion) => {
    const { taken, problems } = await send(calls, portion);
    result.imported += taken.filter(({ is_new }) => is_new).length;
    result.present += taken.filter(({ is_new }) => !is_new).length;
    result.problems.push(...problems);
    done += portion.length;
    calls.progress("inferences", done, recorded.length);
  });
  return result;
}

function portionsOf(recorded: readonly Recorded[]): Recorded[][] {
  const portions: Recorded[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const each of recorded) {
    const size = Buffer.byteLength(JSON.stringify(each));
    if (bytes + size > most.bytes || portions.at(-1)!.length >= most.items) {
      portions.push([]);
      bytes = 0;
    }
    portions.at(-1)!.push(each);
    bytes += size;
  }
  return portions;
}

/** Of a portion that is refused for one of its items, the others are sent without it. */
async function send({ client, signal }: Calls, portion: readonly Recorded[]) {
  const problems: Problem[] = [];
  for (let left = portion; ; ) {
    if (left.length === 0) return { taken: [], problems };
    try {
      const body = { data: left.map(({ place: _, ...item }) => item) };
      const { data: taken } = await client.post<{ data: InferenceImport[] }>("/inferences", { body, signal });
      return { taken, problems };
    } catch (error) {
      const at = Number(error instanceof OpenAI.BadRequestError && /^data\[(\d+)\]/.exec(error.param ?? "")?.[1]);
      const refused = Number.isInteger(at) && error instanceof OpenAI.BadRequestError ? left[at] : undefined;
      if (!refused) throw error;
      problems.push({ place: refused.place, message: (error as Error).message });
      left = left.filter((each) => each !== refused);
    }
  }
}
