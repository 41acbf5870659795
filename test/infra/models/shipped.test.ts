/** Bases that come with Millrace as files: in every deployment from its start, and replaced when a new version ships others. */
import assert from "node:assert/strict";
import { access, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { installShipped, shippedBases } from "../../../infra/models/shipped.ts";
import type { Variant } from "../../../shared/schemas/baseContent.ts";
import { createBaseFiles } from "../../../shared/serving/baseFiles.ts";
import { withDirectory } from "../../shared/engine/models/tinyModels.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { tinyCheckpoint } from "../../support/tinyCheckpoint.ts";

const variant: Variant = { chosen: "int8", texts: 1, measured: [] };

let cloud: Cloud;
let models: string;
before(async () => {
  cloud = await openCloud();
  models = await mkdtemp(join(tmpdir(), "millrace-test-"));
  const extra = { "README.md": "# Tiny", "variant.json": variant };
  await withDirectory({ ...tinyCheckpoint(), ...extra }, (folder) =>
    cp(folder, join(models, "tiny"), { recursive: true }),
  );
  await mkdir(join(models, "no-checkpoint"));
});
after(async () => {
  await cloud.close();
  await rm(models, { recursive: true });
});

describe("shipped bases", () => {
  it("are stored once, with what was measured of them and without their card", async () => {
    assert.deepEqual(shippedBases(models), ["tiny"]);
    assert.deepEqual(await installShipped(cloud.stores, models), ["imported"]);
    assert.deepEqual(await installShipped(cloud.stores, models), ["unchanged"]);
    const record = (await cloud.stores.bases.get("tiny"))!;
    assert.equal(record.architecture, "pretrained");
    assert.deepEqual(record.architecture === "pretrained" && record.variant, variant);
    assert.deepEqual(record.files.map(({ name }) => name).sort(), ["config.json", "model.safetensors", "vocab.txt"]);
  });

  it("are replaced by what a later version ships, while the files of the earlier one stay for models tuned from it", async () => {
    const earlier = (await cloud.stores.bases.get("tiny"))!;
    await writeFile(join(models, "tiny", "tokenizer_config.json"), "{}");
    assert.deepEqual(await installShipped(cloud.stores, models), ["replaced"]);
    const later = (await cloud.stores.bases.get("tiny"))!;
    assert.notEqual(later.digest, earlier.digest);
    const { path } = await createBaseFiles(cloud.stores.objects, join(models, "fetched")).open(earlier);
    await access(join(path, "model.safetensors"));
  });
});
