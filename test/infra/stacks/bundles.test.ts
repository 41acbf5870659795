/** What functions are shipped as: it runs on its own, and holds no more than it needs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { type Bundle, bundle } from "../../../infra/constructs/bundle.ts";

const directory = mkdtempSync(join(tmpdir(), "millrace-bundles-"));
const scratch = join(directory, "tmp");
mkdirSync(scratch);
const platform = `${process.platform}/${process.arch}`;
let light: Bundle;
let models: Bundle;
before(async () => {
  light = await bundle("infra/functions/api.ts", join(directory, "light"));
  models = await bundle("api/inferenceLambda.ts", join(directory, "models"), platform);
});
after(() => rmSync(directory, { recursive: true, force: true }));

const environment = {
  ...{ AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "none", AWS_SECRET_ACCESS_KEY: "none" },
  ...{ MILLRACE_QUEUE_URL: "http://127.0.0.1:9/jobs", MILLRACE_DEAD_LETTER_QUEUE_URL: "http://127.0.0.1:9/dead" },
  ...{ MILLRACE_DEVICE: "cpu", MILLRACE_LOG_LEVEL: "silent" },
};

/** The function's answers, from a process that sees the bundle alone. */
async function ask(
  name: string,
  requests: [method: string, path: string][],
): Promise<{ status: number; body: string }[]> {
  const program = `
    const answers = [];
    const HttpResponseStream = { from(output, { statusCode }) { output.status = statusCode; return output; } };
    globalThis.awslambda = { HttpResponseStream, streamifyResponse: (handler) => handler };
    const { Writable } = await import("node:stream");
    const { handler } = await import(process.argv[1]);
    for (const [httpMethod, path] of JSON.parse(process.argv[2])) {
      let body = "";
      const output = new Writable({ write(chunk, _, done) { body += chunk; done(); } });
      const event = { httpMethod, path, headers: {}, body: httpMethod === "POST" ? "{}" : null, requestContext: { requestId: "1" } };
      const context = { awsRequestId: "1" };
      const answer = await (handler.length > 2 ? handler(event, output, context) : handler(event, context));
      const whole = answer?.isBase64Encoded ? Buffer.from(answer.body, "base64").toString() : answer?.body;
      answers.push({ status: answer?.statusCode ?? output.status, body: (whole ?? body).slice(0, 200) });
    }
    process.stdout.write(JSON.stringify(answers), () => process.exit());`;
  const entry = join(directory, name, "index.mjs");
  const args = ["--input-type=module", "-e", program, entry, JSON.stringify(requests)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: directory,
    // A function has its disk to itself.
    env: { ...environment, TMPDIR: scratch },
  });
  return JSON.parse(stdout);
}

const megabytes = ({ bytes }: Bundle) => (bytes / 1e6).toFixed(1);

test("the light function holds no model runtime, and answers by itself", async (context) => {
  context.diagnostic(`modules: light ${megabytes(light)} MB, models ${megabytes(models)} MB`);
  const runtimes = light.inputs.filter((path) =>
    /onnxruntime|engine\/runtime\/(session|deviceProcess|ownProcess)/.test(path),
  );
  assert.deepEqual(runtimes, []);
  assert.equal(existsSync(join(directory, "light/node_modules/onnxruntime-node")), false);
  const asked: [string, string][] = ["/healthz", "/openapi.json", "/reference/swagger-ui.css", "/v1/models"].map(
    (path) => ["GET", path],
  );
  const answers = await ask("light", asked);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 401],
  );
  assert.match(answers[1]!.body, /"openapi":/);
});

test("whoever would reach the model runtime from the light function is told at once", async () => {
  await assert.rejects(bundle("shared/engine/runtime/ownProcess.ts", join(directory, "refused")), /onnxruntime-node/);
});

test("the function of the models brings the runtime of one platform, and it loads", async () => {
  const runtimes = join(directory, "models/node_modules/onnxruntime-node/bin/napi-v6");
  assert.deepEqual(readdirSync(runtimes), [process.platform]);
  assert.deepEqual(readdirSync(join(runtimes, process.platform)), [process.arch]);
  const [answer] = await ask("models", [["POST", "/v1/decisions"]]);
  assert.equal(answer!.status, 401);
  assert.match(answer!.body, /"error":/);
});
