/** `node infra/costs/main.ts -c name=value …`: what a deployment with these choices costs a month in which nobody calls it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { App } from "aws-cdk-lib";
import { deploy } from "../stacks/deployment.ts";
import { idleCosts, type Resource, toTable } from "./idle.ts";
import { guesses, prices } from "./prices.ts";

const { values } = parseArgs({
  options: { context: { type: "string", short: "c", multiple: true, default: [] } },
});
const chosen = Object.fromEntries(values.context.map((choice) => choice.split(/=(.*)/s).slice(0, 2)));
const { context } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));
const quick = { "aws:cdk:bundling-stacks": [], "aws:cdk:disable-asset-staging": true };
const outdir = mkdtempSync(join(tmpdir(), "millrace-costs-"));
try {
  const app = new App({ outdir, context: { ...context, ...quick, ...chosen } });
  deploy(app);
  const { stacks } = app.synth();
  const resources: Record<string, Resource>[] = stacks.map(({ template }) => template.Resources);
  console.log(`${toTable(idleCosts(Object.assign({}, ...resources)))}\n`);
  for (const { value, about, date } of [...Object.values(prices), ...Object.values(guesses)]) {
    console.log(`${Number(value.toPrecision(6))}: ${about} (${date ?? "an assumption"})`);
  }
} finally {
  rmSync(outdir, { recursive: true });
}
