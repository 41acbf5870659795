/** What images are built from, as a deployment hands it to Docker: all that their Dockerfiles copy, and nothing that is nobody's business. */
import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { App, IgnoreStrategy, Stack } from "aws-cdk-lib";
import { apiImage, workerImage } from "../../../infra/constructs/images.ts";
import { readDockerfile, restOf, root } from "../../support/dockerfile.ts";

// CloudFormation's own rules take seconds, and there are no resources.
process.env.CDK_VALIDATION = "false";
const outdir = mkdtempSync(join(tmpdir(), "millrace-images-"));
after(() => rmSync(outdir, { recursive: true, force: true }));

interface Source {
  directory: string;
  dockerFile: string;
  dockerBuildArgs: Record<string, string>;
  platform: string;
}

const stack = new Stack(new App({ outdir }), "Images");
workerImage(stack, "Gpu", "cuda");
workerImage(stack, "Cpu", "cpu");
apiImage(stack, "Api");
(stack.node.root as App).synth();
const { dockerImages } = JSON.parse(readFileSync(join(outdir, "Images.assets.json"), "utf8"));
const sources = Object.values(dockerImages as Record<string, { source: Source }>).map(({ source }) => source);

test("each has its Dockerfile in what it is built from, and all that this copies", () => {
  assert.deepEqual(sources.map(({ dockerFile }) => dockerFile).sort(), [
    "api/Dockerfile",
    "workers/Dockerfile",
    "workers/Dockerfile",
  ]);
  for (const { directory, dockerFile, platform } of sources) {
    const at = (path: string) => join(outdir, directory, path);
    assert.ok(existsSync(at(dockerFile)), dockerFile);
    assert.equal(platform, "linux/amd64");
    const copies = readDockerfile(dockerFile).flatMap((stage) => restOf(stage, "COPY"));
    for (const words of copies.filter((rest) => !rest.startsWith("--from=")).map((rest) => rest.split(/\s+/))) {
      for (const path of words.slice(0, -1)) assert.ok(existsSync(at(path)), path);
    }
  }
});

test("nothing else goes in: no history, no state of a laptop, no key, no weights", () => {
  for (const { directory } of sources) {
    const within = join(outdir, directory);
    assert.deepEqual(readdirSync(within).sort(), [
      ".dockerignore",
      ...["api", "package-lock.json", "package.json", "shared", "workers"],
    ]);
    assert.equal(existsSync(join(within, "shared/models")), false);
    const kinds = globSync("**/*.*", { cwd: within }).map((path) => path.split(".").at(-1)!);
    const known = ["ts", "json", "proto", "css", "html", "txt", "js", "svg", "map"];
    assert.deepEqual(
      [...new Set(kinds)].filter((kind) => !known.includes(kind)),
      [],
    );
  }
});

test("what lies about in a checkout is ignored by Docker, too", () => {
  const rules = IgnoreStrategy.docker(root, readFileSync(join(root, ".dockerignore"), "utf8").split("\n"));
  const strangers = [
    ".millrace/local.json",
    ".git/config",
    ".env",
    ".npmrc",
    "node_modules/a",
    "cdk.out/a",
    "test/a.ts",
  ];
  for (const path of strangers) assert.ok(rules.ignores(join(root, path)), path);
  for (const path of ["shared/queue.ts", "workers/main.ts", "api/openapi.json"])
    assert.ok(!rules.ignores(join(root, path)), path);
});

test("the GPU's image is told to be one, and the other not", () => {
  const variants = sources.map(({ dockerBuildArgs }) => dockerBuildArgs?.VARIANT).sort();
  assert.deepEqual(variants, ["cpu", "cuda", undefined]);
});
