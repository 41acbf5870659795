/** The columns of a table, learned from the training rows: what the validation rows must fit, and what looks wrong. */
import { isNumber } from "../engine/tables/encoding.ts";
import type { Cells } from "./cells.ts";
import { type Problem, problem } from "./problems.ts";

/** A model's row names its columns, and a row of a table of the database has little room. */
const maxColumns = 500;
const maxNameLength = 100;

interface Column {
  numbers: number;
  /** Cells that are no numbers, and the line of the first. */
  words: number;
  wordAt: { line: number; cell: string } | undefined;
}

export interface Columns {
  /** Takes in a training row; the problem it has, if it has one. */
  learn(cells: Cells, line: number): Problem | undefined;
  /** The problem a validation row has, when all training rows are learned. */
  check(cells: Cells, line: number): Problem | undefined;
  /** Columns that are numbers but for a few cells, as a slip would have it. */
  oddities(): Problem[];
}

export function createColumns(): Columns {
  const columns = new Map<string, Column>();

  const columnOf = (name: string): Column | undefined => {
    const known = columns.get(name);
    if (known || columns.size === maxColumns) return known;
    const column: Column = { numbers: 0, words: 0, wordAt: undefined };
    columns.set(name, column);
    return column;
  };

  return {
    learn(cells, line) {
      for (const [name, cell] of Object.entries(cells)) {
        if (name.length > maxNameLength) return problem("invalid_column_name", line, `column "${name}"`);
        const column = columnOf(name);
        if (!column) return problem("too_many_columns", line, `column "${name}"`);
        if (isNumber(cell)) column.numbers++;
        else {
          column.words++;
          column.wordAt ??= { line, cell };
        }
      }
      return undefined;
    },
    check(cells, line) {
      for (const [name, cell] of Object.entries(cells)) {
        const column = columns.get(name);
        if (!column) return problem("unknown_column", line, `column "${name}"`);
        if (!column.words && !isNumber(cell)) return problem("invalid_value", line, notANumber(name, cell));
      }
      return undefined;
    },
    oddities: () =>
      [...columns].flatMap(([name, { numbers, words, wordAt }]) =>
        wordAt && numbers >= 9 * words ? [problem("mixed_column", wordAt.line, notANumber(name, wordAt.cell))] : [],
      ),
  };
}

function notANumber(name: string, cell: string): string {
  return `column "${name}" holds "${cell}", and numbers elsewhere`;
}
