/** Who may import whom, and how large things may grow: rules that a review would forget to check. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const rooms = ["shared", "api", "workers", "infra", "test"];
const files = rooms.flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: root })).sort();
const source = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));

interface Import {
  file: string;
  /** A path from the root, or a package. */
  target: string;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)|\nimport\s+["']([^"']+)["']/g;

function importsOf(file: string): Import[] {
  return [...source.get(file)!.matchAll(importPattern)].map((match) => {
    const target = (match[1] ?? match[2] ?? match[3])!;
    return { file, target: target.startsWith(".") ? normalize(join(dirname(file), target)) : target };
  });
}

interface Rule {
  promise: string;
  /** Files the rule speaks of. */
  of: RegExp;
  forbids: (target: string) => boolean;
}

const isPackage = (target: string) => !rooms.some((room) => target.startsWith(`${room}/`));
const within = (pattern: RegExp) => (target: string) => pattern.test(target);

const rules: Rule[] = [
  { promise: "api never imports workers", of: /^api\//, forbids: within(/^workers\//) },
  { promise: "workers never import api", of: /^workers\//, forbids: within(/^api\//) },
  { promise: "nobody but infra and test imports infra", of: /^(shared|api|workers)\//, forbids: within(/^infra\//) },
  { promise: "nobody but test imports test", of: /^(shared|api|workers|infra)\//, forbids: within(/^test\//) },
  { promise: "shared stands on its own", of: /^shared\//, forbids: within(/^(api|workers)\//) },
  {
    promise: "routes never touch stores",
    of: /^api\/routes\//,
    forbids: within(/^shared\/stores\/|^shared\/(aws|queue)\.ts$/),
  },
  {
    promise:
      "the engine imports only itself, node, and what writes ONNX, reads tokenizer files and decomposes matrices",
    of: /^shared\/engine\/(?!runtime\/)/,
    forbids: (target) => !/^shared\/engine\/|^node:|^protobufjs|^@huggingface\/tokenizers$|^ml-matrix$/.test(target),
  },
  {
    promise: "statistics imports only itself, seeded random numbers and distribution functions",
    of: /^shared\/statistics\//,
    forbids: (target) => !/^shared\/statistics\/|^shared\/engine\/random\.ts$|^cephes$|^node:/.test(target),
  },
  {
    promise: "onnxruntime-node is behind one door",
    of: /^(?!shared\/engine\/runtime\/session\.ts|test\/)/,
    forbids: within(/^onnxruntime/),
  },
  {
    promise: "the engine's runtime adds only onnxruntime-node",
    of: /^shared\/engine\/runtime\//,
    forbids: (target) => !/^shared\/engine\/|^node:|^onnxruntime-node$/.test(target),
  },
  {
    promise: "the consumer knows neither tasks nor engine",
    of: /^workers\/consumer\.ts$/,
    forbids: within(/^workers\/tasks\/|^shared\/engine\//),
  },
  {
    promise: "only stores, provisioning and the clients' own file know AWS storage clients",
    of: /^(shared\/(?!stores\/|aws\.ts)|api\/|workers\/)/,
    forbids: within(/^@aws-sdk\/(client-s3|client-dynamodb|lib-dynamodb|lib-storage|s3-)/),
  },
  {
    promise: "product code never imports a development dependency",
    of: /^(shared|api|workers)\//,
    forbids: (target) => isPackage(target) && !target.startsWith("node:") && !isDependency(target),
  },
];

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

function isDependency(target: string): boolean {
  return Object.keys(manifest.dependencies).some((name) => target === name || target.startsWith(`${name}/`));
}

describe("imports", () => {
  for (const { promise, of, forbids } of rules) {
    it(promise, () => {
      const spokenOf = files.filter((file) => of.test(file));
      assert.ok(spokenOf.length > 0, "the rule speaks of no file");
      const broken = spokenOf.flatMap(importsOf).filter(({ target }) => forbids(target));
      assert.deepEqual(broken, []);
    });
  }

  it("no file is a drawer for what found no room", () => {
    const drawers = files.filter((file) => /(^|\/)(utils?|helpers?|types|common|misc)(\.ts$|\/)/.test(file));
    assert.deepEqual(drawers, []);
  });
});

const maxFileLines = 400;
const maxFunctionLines = 80;
const medianFileLines = 120;

/** Declarations and methods, from the line of their opening brace to the brace that closes it at the same indentation. */
function functionsOf(text: string): { line: number; lines: number }[] {
  const lines = text.split("\n");
  const opening =
    /^(\s*)(?:export )?(?:default )?(?:async )?(?:function\b|(?:static |get |set |async |\*|#)*[\w$#]+\s*(?:<[^>]*>)?\([^;]*\)[^;=]*\{$|(?:const|let) [\w$]+ = (?:async )?(?:\([^;]*\)|\w+)[^;]*=> \{$)/;
  return lines.flatMap((line, start) => {
    const indentation = opening.exec(line)?.[1];
    if (indentation === undefined || /^\s*(if|for|while|switch|catch|return|describe|it|suite)\b/.test(line)) return [];
    const end = lines.findIndex((later, at) => at > start && new RegExp(`^${indentation}\\}`).test(later));
    return end < 0 ? [] : [{ line: start + 1, lines: end - start + 1 }];
  });
}

describe("sizes", () => {
  const lengths = files.map((file) => ({ file, lines: source.get(file)!.split("\n").length - 1 }));

  it(`no file is longer than ${maxFileLines} lines`, () => {
    assert.deepEqual(
      lengths.filter(({ lines }) => lines > maxFileLines),
      [],
    );
  });

  it(`half of the product's files have at most ${medianFileLines} lines`, () => {
    const product = lengths
      .filter(({ file }) => !file.startsWith("test/"))
      .map(({ lines }) => lines)
      .sort((a, b) => a - b);
    assert.ok(product[product.length >> 1]! <= medianFileLines);
  });

  it(`no function is longer than ${maxFunctionLines} lines`, () => {
    const long = files.flatMap((file) => {
      return functionsOf(source.get(file)!)
        .filter(({ lines }) => lines > maxFunctionLines)
        .map((found) => ({ file, ...found }));
    });
    assert.deepEqual(long, []);
  });

  it("finds functions at all", () => {
    const found = files.flatMap((file) => functionsOf(source.get(file)!));
    assert.ok(found.length > files.length);
  });

  it("every file says in a sentence what it is", () => {
    const silent = files.filter((file) => !source.get(file)!.startsWith("/**"));
    assert.deepEqual(silent, []);
  });
});
