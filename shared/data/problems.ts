/** What can be wrong with a training file, and how to mend it: one table, so that every report reads alike. */

const catalogue = {
  invalid_encoding: ["error", "The line is not UTF-8.", "Save the file as UTF-8."],
  invalid_json: [
    "error",
    "The line is not a JSON object.",
    'Write one object a line, such as {"text": "…", "label": "…"}.',
  ],
  line_too_long: ["error", "The line is longer than 4 MiB.", "Put each row on a line of its own and shorten its text."],
  invalid_csv: [
    "error",
    "The row does not fit the header.",
    "Quote fields that hold separators, quotes or line breaks.",
  ],
  missing_text: ["error", "The row has no text.", 'Add a string "text", or "messages" with a user message.'],
  table_row: [
    "error",
    "The row has columns, and the base model reads texts.",
    'Give each row a "text", or fine-tune "millrace-tabular".',
  ],
  missing_columns: [
    "error",
    "The row is no row of a table, and the base model reads nothing else.",
    'Write {"input": {"column": value, …}, "label": "…"} or a CSV without a column "text", or fine-tune another base model.',
  ],
  invalid_value: [
    "error",
    "A column does not hold one plain value.",
    "Give each column a text, a number, true, false or null, and a column of numbers only numbers.",
  ],
  invalid_column_name: [
    "error",
    "A column's name is empty, given twice, or longer than 100 characters.",
    "Give each column a short name of its own.",
  ],
  unknown_column: [
    "error",
    "The column does not occur in the training file.",
    "Use only columns of the training file.",
  ],
  too_many_columns: ["error", "The file has more than 500 different columns.", "Leave out columns that say little."],
  missing_label: ["error", "The row has no label.", 'Add a "label", or end "messages" with an assistant message.'],
  label_too_long: [
    "error",
    "The label is longer than 1,000 characters.",
    "Use a short name for each label; an answer in sentences is not a label.",
  ],
  unknown_label: ["error", "The label does not occur in the training file.", "Use only labels of the training file."],
  too_many_labels: [
    "error",
    "The file has more than 10,000 different labels.",
    "Use a column with fewer distinct values.",
  ],
  empty_file: ["error", "The file has no usable row.", "Upload a file with a text and a label in each row."],
  single_label: ["error", "All rows have the same label.", "Add rows of at least one other label."],
  empty_text: ["warning", "The text is empty; the row is left out.", "Remove the row or fill in its text."],
  empty_row: ["warning", "No column of the row has a value; the row is left out.", "Remove the row or fill it in."],
  mixed_column: [
    "warning",
    "The column holds numbers but for a few cells; all its values are taken for categories.",
    "Correct those cells or leave them empty.",
  ],
  duplicate_row: ["warning", "The row occurs before with the same label; it is used once.", "Remove the duplicate."],
  contradictory_label: ["warning", "The same text occurs before with another label.", "Decide for one label."],
} as const satisfies Record<string, readonly ["error" | "warning", string, string]>;

export type ProblemCode = keyof typeof catalogue;

export interface Problem {
  /** Line of the file, 1 for the first; null when it concerns the whole file. */
  line: number | null;
  code: ProblemCode;
  severity: "error" | "warning";
  message: string;
  fix: string;
}

/** A detail may quote the file, and fifty of them must fit into one row of a table. */
const maxDetail = 200;

/** `detail` narrows the message down to this line ("line 3 has …"). */
export function problem(code: ProblemCode, line: number | null, detail = ""): Problem {
  const [severity, message, fix] = catalogue[code];
  const quoted = detail.length > maxDetail ? `${detail.slice(0, maxDetail)}…` : detail;
  return { line, code, severity, message: quoted ? `${message} (${quoted.toWellFormed()})` : message, fix };
}

/** How many problems of each severity are kept; all are counted. */
export const maxReported = 50;

export interface ProblemReport {
  errors: Problem[];
  warnings: Problem[];
  errorCount: number;
  warningCount: number;
}

export function emptyReport(): ProblemReport {
  return { errors: [], warnings: [], errorCount: 0, warningCount: 0 };
}

export function report(to: ProblemReport, found: Problem): void {
  const kept = found.severity === "error" ? to.errors : to.warnings;
  if (kept.length < maxReported) kept.push(found);
  if (found.severity === "error") to.errorCount++;
  else to.warningCount++;
}
