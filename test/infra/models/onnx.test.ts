/** ONNX files become models that can be called, or are refused with the reason before anything is stored. */
import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Call, commands } from "../../../infra/models/commands.ts";
import { encodeModel } from "../../../shared/engine/onnxSchema.ts";
import { withDirectory } from "../../shared/engine/models/tinyModels.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { doublerOnnx } from "../../support/doublerOnnx.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

async function run(name: string, subject: string, options: Call["options"] = {}): Promise<string> {
  const lines: string[] = [];
  const { stores, home } = cloud;
  const print = (line: string) => void lines.push(line);
  await commands[name]!.run({ subject, options, environment: {}, home, stores, print, progress: () => {} });
  return lines.join("\n");
}

const withFiles = <T>(files: Record<string, Uint8Array | string>, use: (folder: string) => Promise<T>) =>
  withDirectory({}, async (folder) => {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    return use(folder);
  });

/** A model of one node over x, [2]; `elemType` as ONNX numbers element types. */
function oneNode(opType: string, { domain = "", elemType = 1 } = {}): Uint8Array {
  const shape = { dim: [{ dimValue: 2 }] };
  const value = (name: string) => ({ name, type: { tensorType: { elemType, shape } } });
  const node = { opType, name: "node", input: ["x"], output: ["y"], attribute: [], ...(domain && { domain }) };
  return encodeModel(
    { name: "graph", node: [node], input: [value("x")], output: [value("y")] },
    domain ? [domain] : [],
  );
}

/** A field of a protobuf message that is bytes, text or another message. */
function field(number: number, content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.of(8 * number + 2, bytes.length), bytes]);
}
const integer = (number: number, value: number) => Buffer.of(8 * number, value);

const opset = field(8, integer(2, 20));
/** A tensor "w" of which the file says that its data lies elsewhere (data_location 1). */
const external = Buffer.concat([
  integer(1, 9),
  opset,
  field(7, field(5, Buffer.concat([integer(2, 1), field(8, "w"), Buffer.of(14 * 8, 1)]))),
]);
/** y: a sequence of x. */
const tensorType = field(1, Buffer.concat([integer(1, 1), field(2, field(1, integer(1, 2)))]));
const sequence = Buffer.concat([
  integer(1, 9),
  opset,
  field(
    7,
    Buffer.concat([
      field(1, Buffer.concat([field(1, "x"), field(2, "y"), field(4, "SequenceConstruct")])),
      field(2, "graph"),
      field(11, Buffer.concat([field(1, "x"), field(2, tensorType)])),
      field(12, Buffer.concat([field(1, "y"), field(2, field(4, field(1, tensorType)))])),
    ]),
  ),
]);

describe("an ONNX file", () => {
  it("is imported under its own name, and listed with what it declares", async () => {
    const declared = [
      "  input x: FP32 [batch, 2]",
      "  input count: INT64 [3]",
      "  output twice: FP32 [batch, 2]",
      "  output next: INT64 [3]",
    ].join("\n");
    await withFiles({ "Doubler V1.onnx": doublerOnnx() }, async (folder) => {
      await assert.rejects(run("import", join(folder, "Doubler V1.onnx")), /"Doubler V1.onnx" cannot be a file's name/);
    });
    await withFiles({ "Doubler.onnx": doublerOnnx() }, async (folder) => {
      const told = await run("import", join(folder, "Doubler.onnx"));
      assert.match(told, /^doubler: imported, .* 1 files of/);
      assert.ok(told.endsWith(declared), told);
      assert.match(await run("import", folder, { id: "again" }), /^again: imported/, "the only one of a folder");
      assert.match(await run("import", folder, { id: "again" }), /^again: unchanged/);
    });
    assert.ok((await run("list", "")).includes(declared));
    const record = await cloud.stores.bases.get("doubler");
    assert.equal(record?.architecture, "onnx");
    await run("remove", "again", { files: true });
  });

  const refused: [title: string, content: Uint8Array | string, RegExp][] = [
    [
      "what is not ONNX",
      "These are only words.",
      /model\.onnx cannot be served: it (is not in ONNX's format|holds no graph)/,
    ],
    [
      "an operator of nobody's domain",
      oneNode("Frobnicate", { domain: "acme" }),
      /operator Frobnicate is of the domain "acme"/,
    ],
    ["an operator that there is not", oneNode("Frobnicate"), /a session on "cpu" does not start: .*Frobnicate/],
    ["weights in other files", external, /the data of "w" lies in another file/],
    ["texts", oneNode("Identity", { elemType: 8 }), /its input "x" is of type string; known: BOOL, UINT8/],
    ["sequences", sequence, /its output "y" is of type sequence, map or optional/],
  ];
  for (const [title, content, message] of refused) {
    it(`is refused for ${title}`, async () => {
      const file = { "model.onnx": content };
      await assert.rejects(
        withFiles(file, (folder) => run("import", folder, { id: "model" })),
        message,
      );
      assert.equal(await cloud.stores.bases.get("model"), undefined);
    });
  }

  it("is refused when it is larger than such a file can be, is not there, or is one of several", async () => {
    await withFiles({ "a.onnx": "", "b.onnx": "" }, async (folder) => {
      await truncate(join(folder, "a.onnx"), 2 ** 31);
      await assert.rejects(run("import", join(folder, "a.onnx")), /larger than 2 GiB/);
      await assert.rejects(run("import", join(folder, "c.onnx")), /is no file that can be read/);
      await assert.rejects(run("import", folder), /holds several ONNX files: name one of them \(a\.onnx, b\.onnx\)/);
    });
  });
});
