/** Ranking and examining on a thread of their own: they read every text, and whoever keeps a lease or answers must not wait. */
import { onThread } from "../data/onThread.ts";
import type { Examination, Examined } from "./doctor.ts";
import type { Ranked, RankRequest } from "./rank.ts";

export type ThreadRequest = { type: "rank"; request: RankRequest } | { type: "examine"; request: Examined };
export type Found = Pick<Examination, "suspects" | "noise" | "agreement">;

const limits = { maxOldGenerationSizeMb: 1024 };
const module = new URL("./thread.ts", import.meta.url);

/** Aborting ends the thread and rejects with the signal's reason, as it does below. */
export function rankOnThread(request: RankRequest, signal?: AbortSignal): Promise<Ranked[]> {
  return onThread(module, { type: "rank", request } satisfies ThreadRequest, limits, signal);
}

export function examineOnThread(request: Examined, signal?: AbortSignal): Promise<Found> {
  return onThread(module, { type: "examine", request } satisfies ThreadRequest, limits, signal);
}
