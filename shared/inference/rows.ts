/** Which row of a table a decision is about, checked against the columns that the model was tuned on. */
import { type Cells, cellsOf } from "../data/cells.ts";
import { rowText } from "../data/tableRows.ts";
import { isNumber } from "../engine/tables/encoding.ts";
import { ApiError } from "../errors.ts";
import type { DecisionInput } from "../schemas/decisionInput.ts";
import type { ModelRecord, TableColumn } from "../schemas/model.ts";
import { isMessage, unsupported } from "./decisionText.ts";

/** The model, if it reads texts. Throws ApiError naming `model` for one that reads rows of tables. */
export function asTextReader(model: ModelRecord): ModelRecord {
  if (!model.columns) return model;
  throw new ApiError("invalid_value", `'${model.id}' reads rows of a table, not texts.`, { param: "model" });
}

interface Found {
  row: Readonly<Record<string, unknown>>;
  path: string;
}

/** The one row that the user's messages hold, as the text that a model of tables reads. Throws ApiError naming the path. */
export function rowOf(input: DecisionInput, columns: readonly TableColumn[]): string {
  const [found, further] = typeof input === "string" ? [] : input.flatMap(rowsOfItem);
  if (!found) {
    const message = `This model reads rows of a table: 'input' needs a message of role 'user' whose content is one part of type 'input_json'.`;
    throw new ApiError("invalid_value", message, { param: "input" });
  }
  if (further) {
    const message = `'${further.path}' is a second row: a decision is about one. Ask once for each row, or send a batch.`;
    throw new ApiError("invalid_value", message, { param: further.path });
  }
  return rowText(checkedCells(found, columns));
}

function rowsOfItem(item: Exclude<DecisionInput, string>[number], index: number): Found[] {
  const path = `input[${index}]`;
  if (!isMessage(item)) throw unsupported(item.type, path, "rows of a table");
  if (item.role !== "user" || typeof item.content === "string") return [];
  return item.content.flatMap((part, place) => {
    const own = `${path}.content[${place}]`;
    if (part.type !== "input_json") throw unsupported(part.type, own, "rows of a table");
    return Array.isArray(part.data)
      ? part.data.map((row, i) => ({ row, path: `${own}.data[${i}]` }))
      : [{ row: part.data, path: `${own}.data` }];
  });
}

/** What is missing is left out; so are columns that the model does not know and that hold nothing. */
function checkedCells({ row, path }: Found, columns: readonly TableColumn[]): Cells {
  const found = cellsOf(row);
  if ("holds" in found) {
    throw misfit(`${path}.${found.column}`, `holds ${found.holds}, not a text, a number, true, false or null`);
  }
  const kinds = new Map(columns.map(({ name, kind }) => [name, kind]));
  for (const [name, cell] of Object.entries(found.cells)) {
    const kind = kinds.get(name);
    if (!kind) throw misfit(`${path}.${name}`, `is no column of this model. ${listed(columns)}`);
    if (kind === "number" && !isNumber(cell)) {
      throw misfit(`${path}.${name}`, `is '${cell}', and the column holds numbers`);
    }
  }
  return found.cells;
}

function misfit(param: string, fault: string): ApiError {
  return new ApiError("invalid_value", `'${param}' ${fault}.`, { param });
}

function listed(columns: readonly TableColumn[]): string {
  const shown = columns.slice(0, 20).map(({ name }) => `'${name}'`);
  return `Its columns are ${shown.join(", ")}${columns.length > shown.length ? " and others" : ""}`;
}
