/** Rows of several sources become one set whose splits never leak, and stay where they are from version to version. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assignSplits, type Shares } from "../../../shared/datasets/assign.ts";
import { diffRows } from "../../../shared/datasets/diff.ts";
import { Merge } from "../../../shared/datasets/merge.ts";
import type { DatasetRow, SourceRow, Split } from "../../../shared/datasets/row.ts";

const said = (text: string, label = "x", subject?: string, line = 1): SourceRow => {
  const origin = { type: "file" as const, file_id: "file-1", line };
  return { text, label, origin, ...(subject !== undefined && { subjects: [subject] }) };
};

function merged(rows: readonly SourceRow[]) {
  const merge = new Merge();
  for (const row of rows) merge.add(row);
  return merge.result();
}

const shares: Shares = { validation: 0.2, test: 0.2 };
const assign = (rows: readonly SourceRow[], earlier = new Map<string, Split>(), seed = "a") =>
  assignSplits(merged(rows).rows, { shares, seed, earlier });
const splitsOf = (rows: readonly DatasetRow[]) => new Map(rows.map(({ id, split }) => [id, split]));
const byText = (rows: readonly DatasetRow[]) => new Map(rows.map((row) => [row.text, row]));

/** Texts that have little in common. */
const words = (i: number) =>
  Array.from({ length: 8 }, (_, j) => (((i * 8 + j + 1) * 2654435761) % 4294967296).toString(36));
const different = (count: number) => Array.from({ length: count }, (_, i) => said(words(i).join(" ")));

describe("merging", () => {
  it("keeps each text once, with the last label said of it and all that said something", () => {
    const { rows, report } = merged([
      said("a", "x", undefined, 1),
      said("b"),
      said("a", "x", undefined, 3),
      said("a", "y", undefined, 4),
    ]);
    assert.deepEqual(report, { read: 4, repeats: 1, relabelled: 1 });
    assert.deepEqual(
      rows.map(({ text, label, origins }) => [text, label, origins.length]),
      [
        ["a", "y", 3],
        ["b", "x", 1],
      ],
    );
  });
});

describe("splits", () => {
  it("have about their shares, and are the same for the same seed", () => {
    const rows = different(2000);
    const { rows: assigned, bridging } = assign(rows);
    assert.equal(bridging, 0);
    const share = (split: Split) => assigned.filter((row) => row.split === split).length / assigned.length;
    assert.ok(Math.abs(share("test") - 0.2) < 0.03 && Math.abs(share("validation") - 0.2) < 0.03);
    assert.deepEqual(assign(rows).rows, assigned);
    assert.notDeepEqual(assign(rows, new Map(), "b").rows, assigned);
  });

  it("hold a subject's rows, and texts that differ by little, together", () => {
    const rows = different(300).flatMap((row, i) => [
      { ...row, subjects: [`subject ${i % 30}`] },
      said(`${row.text.toUpperCase()} `),
      said(`${row.text} ok`),
    ]);
    const { rows: assigned } = assign(rows);
    const found = byText(assigned);
    for (const [i, { text }] of different(300).entries()) {
      const together = [text, `${text.toUpperCase()} `, `${text} ok`, words(i % 30).join(" ")].map(
        (t) => found.get(t)!.split,
      );
      assert.equal(new Set(together).size, 1, `${i}: ${together}`);
    }
  });

  it("leave every row where it was when further rows come", () => {
    const first = assign(different(200));
    const second = assign(different(400), splitsOf(first.rows));
    const later = byText(second.rows);
    for (const { text, split } of first.rows) assert.equal(later.get(text)!.split, split);
  });

  it("leave out a new row that is near to rows of two splits, and keep those", () => {
    const [one, other] = [said("alpha beta gamma delta", "x", "p"), said("epsilon zeta eta theta", "x", "q")];
    const earlier = new Map<string, Split>(
      merged([one, other]).rows.map(({ id }, i) => [id, i ? "test" : "train"] as const),
    );
    const bridge = [said("iota kappa lambda mu", "x", "p"), said("iota kappa lambda mu", "x", "q")];
    const { rows, bridging } = assign([one, other, ...bridge], earlier);
    assert.equal(bridging, 1);
    assert.deepEqual(
      rows.map(({ split }) => split),
      ["train", "test"],
    );
  });
});

describe("a difference", () => {
  it("tells what came, what went and what was relabelled", () => {
    const version = (rows: readonly SourceRow[]) => new Map(assign(rows).rows.map((row) => [row.id, row]));
    const [before, after] = [
      version([said("a"), said("b"), said("c")]),
      version([said("b"), said("c", "y"), said("d")]),
    ];
    assert.deepEqual(
      [...diffRows(before, after)].map(({ change, text, from, to }) => [change, text, from, to]),
      [
        ["removed", "a", "x", null],
        ["relabelled", "c", "x", "y"],
        ["added", "d", null, "x"],
      ],
    );
    assert.deepEqual([...diffRows(before, before)], []);
  });
});
