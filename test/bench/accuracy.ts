/** How often models are right about what they have not seen, beside what anyone would try first. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { withMillrace } from "../examples/withMillrace.ts";
import { budget } from "./accuracyBudget.ts";
import { fewShot } from "./accuracyFewShot.ts";
import { full } from "./accuracyFull.ts";
import type { Part } from "./accuracyJobs.ts";
import { ngram } from "./accuracyNgram.ts";
import { outOfScope } from "./accuracyOutOfScope.ts";
import { similarity } from "./accuracySimilarity.ts";
import type { Suite } from "./suite.ts";

const parts: Record<string, Part> = {
  ngram,
  full,
  fewshot: fewShot({ perLabel: 8, wanted: 8 }),
  fewshot16: fewShot({ perLabel: 16, wanted: null }),
  outofscope: outOfScope,
  similarity,
  budget,
};

export const accuracy: Suite = async ({ part, ...bench }) => {
  if (part !== undefined && !Object.hasOwn(parts, part)) {
    throw new Error(`accuracy has no part "${part}"; there are ${Object.keys(parts).join(", ")}.`);
  }
  const chosen = part === undefined ? Object.values(parts) : [parts[part]!];
  const home = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    return await withMillrace(home, async (millrace): Promise<void> => {
      const { baseUrl, apiKey } = await millrace;
      const client = new OpenAI({ baseURL: baseUrl, apiKey, timeout: 120_000 });
      for (const measure of chosen) await measure({ ...bench, client });
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
