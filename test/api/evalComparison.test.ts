/** Two runs of an eval beside each other, over the API. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { EvalComparison } from "../../shared/schemas/evalComparison.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { contentOf, evalsOf } from "../support/evals.ts";
import { fakeHost } from "../support/fakeHost.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

test("two runs are compared on the items they share: overall, by class and by slice", async () => {
  const { client, make, work } = evalsOf(deployment, fakeHost());
  const { id: eval_id } = await make();
  const compare = (query = "") => client.get<EvalComparison>(`/evals/${eval_id}/compare${query}`);
  await assert.rejects(compare(), { status: 409, param: "a" });
  const items = ["en", "fr", "en", "fr", "en", "fr"].map((lang, i) => ({
    text: `${i}`,
    label: i < 3 ? "ham" : "spam",
    lang,
  }));
  const run = async (outputs: string, of = items) => {
    const source = contentOf(of, (item: (typeof items)[number]) => {
      return { output_text: outputs[Number(item.text)] === "h" ? "ham" : "spam" };
    });
    const { id } = await client.evals.runs.create(eval_id, { data_source: { type: "jsonl", source } });
    await work({ id });
    return id;
  };
  const [a, b] = [await run("hsshhs"), await run("hhhshs", items.toReversed())];
  const found = await compare("?slice_by=item.lang");
  assert.deepEqual([found.a.run_id, found.b.run_id, found.pairs], [a, b, 6], "the last two, and in whatever order");
  assert.deepEqual([found.a.passed, found.b.passed], [2 / 6, 5 / 6]);
  const { both, only_a, only_b, neither, p_value, bootstrap } = found.overall;
  assert.deepEqual([both, only_a, only_b, neither, p_value], [2, 0, 3, 1, 0.25]);
  assert.equal(bootstrap.estimate, 0.5);
  assert.equal(found.criteria[0]!.testing_criteria, "right");
  assert.deepEqual(
    [found.classes!.field, found.classes!.rows.map(({ value, only_b: won }) => [value, won])],
    [
      "item.label",
      [
        ["ham", 2],
        ["spam", 1],
      ],
    ],
  );
  assert.deepEqual(
    found.slices.map(({ field, rows }) => [field, rows.map(({ value, only_b: won }) => [value, won])]),
    [
      [
        "item.lang",
        [
          ["en", 1],
          ["fr", 2],
        ],
      ],
    ],
  );
  assert.deepEqual(
    found.agreement.counts!.flat().reduce((sum, count) => sum + count, 0),
    6,
  );
  const turned = await compare(`?a=${b}&b=${a}&class_field=item.lang`);
  assert.deepEqual([turned.overall.only_a, turned.overall.difference.estimate], [3, -0.5]);
  assert.equal(turned.classes, null, "no output is a language");
  const waiting = await client.evals.runs.create(eval_id, { data_source: { type: "jsonl", source: contentOf(items) } });
  await assert.rejects(compare(`?a=${waiting.id}&b=${b}`), { status: 409, param: "a" });
  const elsewhere = (await make()).id;
  await assert.rejects(client.get(`/evals/${elsewhere}/compare?a=${a}&b=${b}`), { status: 404, param: "a" });
});
