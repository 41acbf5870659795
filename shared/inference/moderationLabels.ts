/** What the labels of a moderation model mean: one of OpenAI's categories, harmlessness, or another kind of harm. */
import { type ModerationCategory, moderationCategories } from "../schemas/moderation.ts";

export type Meaning = { category: ModerationCategory } | "harmless" | "other";

const harmless = [
  "safe",
  "none",
  "ok",
  "okay",
  "clean",
  "neutral",
  "normal",
  "benign",
  "harmless",
  "acceptable",
  "allowed",
  "appropriate",
  "unflagged",
  "not flagged",
  "non-toxic",
  "not hate",
  "not offensive",
  "inoffensive",
  "sfw",
] as const;

/** People write `self_harm`, `Self-Harm` and `self harm`. */
const letters = (label: string) => label.toLowerCase().replace(/[^a-z]/g, "");

const meanings = new Map<string, Meaning>([
  ...moderationCategories.map((category) => [letters(category), { category }] as const),
  ...harmless.map((label) => [letters(label), "harmless"] as const),
]);

export function meaningOf(label: string): Meaning {
  return meanings.get(letters(label)) ?? "other";
}
