/** What the environment may say, and what is said about it when it is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../shared/config.ts";
import { whatCudaLacks } from "../../shared/engine/runtime/deviceChoice.ts";

const needed = { MILLRACE_QUEUE_URL: "http://localhost/q", MILLRACE_DEAD_LETTER_QUEUE_URL: "http://localhost/d" };

test("what is left out has a default, and what is wrong is named, all at once", () => {
  assert.equal(parseConfig(needed).device, "auto");
  assert.throws(
    () => parseConfig({ ...needed, MILLRACE_QUEUE_URL: "", MILLRACE_DEVICE: "gpu", MILLRACE_PORT: "70000" }),
    ({ message }: Error) =>
      ["MILLRACE_QUEUE_URL", "MILLRACE_DEVICE", "MILLRACE_PORT"].every((name) => message.includes(name)),
  );
});

test("CUDA by name is refused at the start where it lacks something", { skip: !whatCudaLacks().length }, () => {
  assert.throws(
    () => parseConfig({ ...needed, MILLRACE_DEVICE: "cuda" }),
    /CUDA is not available here\. Missing: .*MILLRACE_DEVICE/s,
  );
});
