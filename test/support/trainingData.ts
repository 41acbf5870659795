/** Small data sets that can be learnt, the same each time. */

const subjects = {
  billing: ["invoice", "refund", "charge", "payment", "receipt"],
  delivery: ["parcel", "courier", "tracking", "address", "delay"],
  account: ["password", "login", "email", "profile", "username"],
} as const;

export type Subject = keyof typeof subjects;

export interface LabelledText {
  text: string;
  label: string;
}

/** As many rows of each of three labels; all texts differ. */
export function rowsOf(perLabel: number): LabelledText[] {
  return Array.from({ length: perLabel }, (_, i) =>
    Object.entries(subjects).map(([label, words]) => ({
      text: `Question ${i}: my ${words[i % 5]} and the ${words[(i * 3 + 1) % 5]} are ${i % 2 ? "wrong" : "missing"}`,
      label,
    })),
  ).flat();
}

export function jsonl(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}
