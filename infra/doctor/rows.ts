/** What the doctor trains on and asks: rows whose labels nobody can miss. */

interface Row {
  text: string;
  label: string;
}

const words: Record<string, readonly string[]> = {
  billing: ["invoice", "refund", "payment", "charge", "receipt"],
  delivery: ["parcel", "courier", "shipment", "package", "tracking"],
  account: ["password", "login", "profile", "username", "email"],
};

export const labels = Object.keys(words);

/** Sixteen of each label; all texts differ. */
export const trainingRows: readonly Row[] = labels.flatMap((label) => {
  const own = words[label]!;
  return Array.from({ length: 16 }, (_, i) => ({
    text: `Question ${i}: my ${own[i % 5]} and the ${own[(i * 3 + 1) % 5]} are ${i % 2 ? "wrong" : "missing"}`,
    label,
  }));
});

/** None of them is among the rows it learns from. */
export const questions: readonly Row[] = [
  { text: "where is my parcel, the courier never came", label: "delivery" },
  { text: "I want a refund for this invoice", label: "billing" },
  { text: "my login does not take the password", label: "account" },
  { text: "the tracking says the shipment is lost", label: "delivery" },
  { text: "a charge without a receipt", label: "billing" },
];
