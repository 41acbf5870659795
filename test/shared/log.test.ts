/** What operators read when something went wrong. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { redacted } from "../../shared/log.ts";

function syntaxErrorOf(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    return (error as Error).message;
  }
}

const program = `
  import { createLog } from "${new URL("../../shared/log.ts", import.meta.url)}";
  const log = createLog({ logLevel: "info" }, "test");
  log.error({ error: new TypeError("what went wrong"), api_key: "mr-secret", signing_secret: "mr-secret", made: { signing_secret: "mr-secret" }, request: { authorization: "Bearer mr-secret" } });
  log.info({ err: new Error("why"), status: 500 });
`;

const lines = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
const [first, second] = lines
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

test("errors are logged with message and stack", () => {
  assert.equal(first.error.message, "what went wrong");
  assert.equal(first.error.type, "TypeError");
  assert.match(first.error.stack, /^TypeError: what went wrong\n/);
  assert.equal(second.err.message, "why");
});

test("secrets are not", () => {
  assert.ok(!lines.includes("mr-secret"));
});

test("what looks like a secret is told nowhere in a line, and the rest of the line is", () => {
  const told: Record<string, string> = {
    '{"err":{"message":"key sk-millrace-abcdefgh12345 is wrong"}}': '{"err":{"message":"key [redacted] is wrong"}}',
    '{"a":"sk-admin-millrace-abcdefgh"}': '{"a":"[redacted]"}',
    '{"a":"whsec_QUJDREVGR0g+/="}': '{"a":"[redacted]"}',
    '{"authorized":"Bearer abc.def-ghi"}': '{"authorized":"Bearer [redacted]"}',
    '{"url":"https://b/k?X-Amz-Signature=0a1b2c&x-id=GetObject"}':
      '{"url":"https://b/k?X-Amz-Signature=[redacted]&x-id=GetObject"}',
    '{"auth":"AWS4-HMAC-SHA256 Credential=AK/2026, Signature=00"}': '{"auth":"AWS4-HMAC-SHA256 [redacted]"}',
    [JSON.stringify({ message: syntaxErrorOf('{"text":"a customer\'s words", oops}') })]:
      '{"message":"Expected double-quoted property name in JSON at position 30 (line 1 column 31)"}',
    [JSON.stringify({
      message: syntaxErrorOf('a customer\'s "words"'),
    })]: `{"message":"Unexpected token 'a', [text] is not valid JSON"}`,
    '{"path":"/v1/models/sk-1","status":404}': '{"path":"/v1/models/sk-1","status":404}',
  };
  for (const [line, expected] of Object.entries(told)) assert.equal(redacted(line), expected);
});
