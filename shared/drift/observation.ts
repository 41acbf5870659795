/** What is known of one answer: its text, what was said, how sure, and what became of it. */
export interface Observation {
  /** Of the inference. */
  id: string;
  text: string;
  /** Float32, of the text, by a base; absent: hashed n-grams are taken. */
  vector?: Float32Array;
  /** Null of what was no label. */
  label: string | null;
  /** Of the label, 0 to 1; null where none was told. */
  confidence: number | null;
  refused: boolean;
  /** By metric; booleans as 0 and 1. */
  outcomes: Readonly<Record<string, number>>;
}
