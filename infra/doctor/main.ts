/** `npm run doctor`: proves that a deployment, here or on AWS, does what it should; ends with 1 where it does not. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readState } from "../local/state.ts";
import { checks } from "./checks.ts";
import { examine, type Finding } from "./examine.ts";
import { meet } from "./patient.ts";

const usage = `Usage:
  npm run doctor -- [--base-url <url> --key <API key>] [--admin-key <key> | --other-key <API key of another project>]
                    [--webhook-url <url>] [--patience <seconds>] [--samples <n>] [--json]

Without --base-url it examines what \`npm start\` runs on this machine. With an admin key it makes the other project that it
looks from, and archives it. All that it makes it takes away again. It ends with 0 when nothing failed.`;

const { values: options } = parseArgs({
  options: {
    "base-url": { type: "string" },
    key: { type: "string" },
    "admin-key": { type: "string" },
    "other-key": { type: "string" },
    "webhook-url": { type: "string" },
    patience: { type: "string", default: "900" },
    samples: { type: "string", default: "50" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** A sweep and a first delivery take a second or two. */
const usualWebhookPatienceSeconds = 30;

const signs = { ok: "ok     ", failed: "FAILED ", skipped: "skipped" } as const;

function line({ check, status, detail, milliseconds }: Finding): string {
  return `${signs[status]}  ${check.padEnd(42)} ${`${milliseconds} ms`.padStart(9)}  ${detail}`;
}

async function main(): Promise<number> {
  const local = readState(resolve(process.env.MILLRACE_HOME ?? ".millrace"));
  const baseUrl = options["base-url"] ?? local?.base_url;
  // A key of this machine's deployment is none of another's.
  const key = options.key ?? (baseUrl === local?.base_url ? local?.api_key : undefined);
  const [patienceSeconds, samples] = [Number(options.patience), Number(options.samples)];
  const isWrong = !(patienceSeconds > 0) || !Number.isInteger(samples) || samples < 1;
  if (options.help || !baseUrl || !key || isWrong) {
    console.error(usage);
    return options.help ? 0 : 2;
  }
  const keys = { key, adminKey: options["admin-key"], otherKey: options["other-key"] };
  const patient = meet({
    ...{ baseUrl, ...keys, patienceSeconds, samples, webhookUrl: options["webhook-url"] },
    webhookPatienceSeconds: usualWebhookPatienceSeconds,
  });
  const findings = await examine(patient, checks, (finding) => options.json || console.log(line(finding)));
  const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length;
  if (options.json) console.log(JSON.stringify({ base_url: baseUrl, findings }, null, 2));
  else console.log(`\n${baseUrl}: ${count("ok")} ok, ${count("failed")} failed, ${count("skipped")} skipped`);
  return count("failed") > 0 ? 1 : 0;
}

process.exitCode = await main();
