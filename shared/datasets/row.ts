/** Rows of a dataset version: a text, its label, the split it belongs to, and where it came from. */
import { hash } from "node:crypto";

export const splits = ["train", "validation", "test"] as const;
export type Split = (typeof splits)[number];

/** Where a row came from; of several, the one whose label counts is the last. */
export type RowOrigin =
  | { type: "file"; file_id: string; line: number }
  | { type: "dataset"; dataset: string; version: number; row: string }
  | { type: "inference"; inference_id: string; feedback_id: string; metric_name: string }
  /** `label_ids`: those that say what the row is, of all that were given. */
  | { type: "labels"; queue_id: string; item_id: string; label_ids: string[] };

export interface DatasetRow {
  /** By the text, so that a row keeps it when its label is corrected. */
  id: string;
  text: string;
  label: string;
  split: Split;
  /** Whom or what it is about or from. */
  subjects: string[];
  origins: RowOrigin[];
}

/** What a source says, before it is known what the others do. */
export interface SourceRow {
  text: string;
  label: string;
  origin: RowOrigin;
  /** Rows of one subject or episode stay on one side. */
  subjects?: readonly string[];
}

/** 96 bits: two of a million texts share one with a chance of 10^-17. */
export function rowId(text: string): string {
  return hash("sha256", text).slice(0, 24);
}
