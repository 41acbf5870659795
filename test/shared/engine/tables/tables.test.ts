/** Tables become numbers by what was learned from other rows, and what does not fit is named. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { learnEncoding, TableError, type TableRow } from "../../../../shared/engine/tables/encoding.ts";
import { oneHotFeatures, tableInputs, tableShape } from "../../../../shared/engine/tables/features.ts";
import { assertClose, numbers } from "../run.ts";

const rows: TableRow[] = [
  { age: "20", city: "Rome", children: "2", plan: "1" },
  { age: "40", city: "Oslo", children: "", plan: "2" },
  { age: "60", city: "Rome", children: "4", plan: "1" },
  { age: "80", city: "?", children: "3", plan: "1" },
];
const columns = ["age", "city", "children", "plan"];
const encoding = learnEncoding(rows, { columns, kinds: { plan: "category" }, missing: ["", "?"] });
const unseen: TableRow = { age: "50", city: "Bonn", children: "", plan: "2" };

describe("an encoding", () => {
  it("tells numbers from categories, unless it is told", () => {
    assert.deepEqual(
      encoding.columns.map(({ name, kind }) => [name, kind]),
      [
        ["age", "number"],
        ["city", "category"],
        ["children", "number"],
        ["plan", "category"],
      ],
    );
    assert.deepEqual(tableShape(encoding), { numbers: 3, categories: [3, 3] });
  });

  it("is kept as JSON", () => {
    const kept = JSON.parse(JSON.stringify(encoding)) as typeof encoding;
    assert.deepEqual(tableInputs(kept, rows), tableInputs(encoding, rows));
  });

  it("gives numbers a mean of 0 and a deviation of 1, and says which are missing", () => {
    const { numbers: found } = tableInputs(encoding, rows);
    const [once, twice] = [1 / Math.sqrt(5), 3 / Math.sqrt(5)];
    const step = Math.sqrt(3 / 2);
    assert.deepEqual(found.shape, [4, 3]);
    assertClose(numbers(found), [-twice, -step, 0, -once, 0, 1, once, step, 0, twice, 0, 0], 1e-6);
  });

  it("numbers categories in order, and has 0 for what is missing or new", () => {
    assert.deepEqual(numbers(tableInputs(encoding, [...rows, unseen]).categories), [2, 1, 1, 2, 2, 1, 0, 1, 0, 2]);
  });

  it("gives linear models a column for each value, and none for what is missing or new", () => {
    const { shape, data } = oneHotFeatures(encoding, [...rows, unseen]);
    assert.deepEqual(shape, [5, 7]);
    const categories = Array.from({ length: 5 }, (_, row) => Array.from(data.slice(row * 7 + 3, row * 7 + 7), Number));
    assert.deepEqual(categories, [
      [0, 1, 1, 0],
      [1, 0, 0, 1],
      [0, 1, 1, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    assert.deepEqual(data.slice(0, 3), tableInputs(encoding, rows).numbers.data.slice(0, 3));
  });

  it("cuts numbers into bins of equally many rows, through which a value has come so far", () => {
    const values = ["0", "1", "2", "4", "10", "10", "10", "20", ""].map((a) => ({ a }));
    const binned = learnEncoding(values, { columns: ["a"], bins: 4 });
    // Quarters of the eight values end at 2, 10, 10 and 20; an edge that comes twice counts once.
    assert.deepEqual(tableShape(binned), { numbers: 4, categories: [] });
    const rows = ["1", "6", "15", "99", "-5"].map((a) => ({ a }));
    assertClose(
      numbers(tableInputs(binned, rows).numbers),
      [0.5, 0, 0, 0, 1, 0.5, 0, 0, 1, 1, 0.5, 0, 1, 1, 1, 0, 0, 0, 0, 0],
      1e-6,
    );
    // The mean, 57 / 8, and that it is missing.
    assertClose(numbers(tableInputs(binned, [{ a: "" }]).numbers), [1, (57 / 8 - 2) / 8, 0, 1], 1e-6);
  });

  it("leaves a number that never varies at 0", () => {
    const flat = learnEncoding([{ a: "3" }, { a: "3" }], { columns: ["a"] });
    assert.deepEqual(numbers(tableInputs(flat, [{ a: "3" }, { a: "5" }]).numbers), [0, 2]);
  });
});

describe("what does not fit is refused by name", () => {
  const faults: Record<string, [() => unknown, RegExp]> = {
    "a column that is not there": [() => learnEncoding(rows, { columns: ["size"] }), /no column "size"/],
    "a column without values": [
      () => learnEncoding([{ a: "" }, { a: "" }], { columns: ["a"] }),
      /column "a" has no values/,
    ],
    "a word among numbers": [
      () => learnEncoding(rows, { columns, kinds: { city: "number" } }),
      /"Rome" in column "city" is not a number/,
    ],
    "a word where training had numbers": [
      () => tableInputs(encoding, [{ ...unseen, age: "old" }]),
      /"old" in column "age" is not a number/,
    ],
    "a row without a column": [() => tableInputs(encoding, [{ age: "1" }]), /no column "city"/],
  };
  for (const [name, [act, message]] of Object.entries(faults)) {
    it(name, () => {
      assert.throws(act, (error: Error) => error instanceof TableError && message.test(error.message));
    });
  }
});
