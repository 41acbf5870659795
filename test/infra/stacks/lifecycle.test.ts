/** What the bucket lets go of by itself is what is written with its tag, and nothing else. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { GetObjectTaggingCommand } from "@aws-sdk/client-s3";
import { keptDays, type Transient } from "../../../shared/stores/transient.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { type Properties, synthesise } from "../../support/stacks.ts";

let cloud: Cloud;
let directory: string;
before(async () => {
  cloud = await openCloud();
  directory = await mkdtemp(join(tmpdir(), "millrace-lifecycle-"));
});
after(async () => {
  await cloud.close();
  await rm(directory, { recursive: true });
});

const { ofType } = synthesise();
const rules: Properties[] = ofType("AWS::S3::Bucket").find(({ id }) => id.startsWith("Data"))!.Properties
  .LifecycleConfiguration.Rules;

/** Rules by which an object with these tags goes. */
async function rulesFor(key: string): Promise<Properties[]> {
  const { TagSet = [] } = await cloud.aws.s3.send(
    new GetObjectTaggingCommand({ Bucket: cloud.names.bucket, Key: key }),
  );
  const expiring = rules.filter(({ ExpirationInDays }) => ExpirationInDays);
  return expiring.filter(({ TagFilters = [], Prefix }) => {
    assert.equal(Prefix, undefined);
    return TagFilters.every((wanted: Properties) =>
      TagSet.some(({ Key, Value }) => Key === wanted.Key && Value === wanted.Value),
    );
  });
}

test("what is written as a checkpoint or a part, small or in many parts, goes when its days are over", async () => {
  const path = join(directory, "large");
  await writeFile(path, Buffer.alloc(9 * 1024 * 1024));
  for (const transient of Object.keys(keptDays) as Transient[]) {
    await cloud.stores.objects.put(`proj_a/${transient}`, Readable.from([Buffer.from("x")]), { transient });
    await cloud.stores.objects.putFile(`proj_a/${transient}-large`, path, { transient });
    for (const key of [`proj_a/${transient}`, `proj_a/${transient}-large`]) {
      const [rule, ...others] = await rulesFor(key);
      assert.deepEqual(others, []);
      assert.deepEqual([rule.ExpirationInDays, rule.Status], [keptDays[transient], "Enabled"], key);
    }
  }
});

test("nothing else goes", async () => {
  await cloud.stores.objects.put("proj_a/models/m", Readable.from([Buffer.from("x")]));
  assert.deepEqual(await rulesFor("proj_a/models/m"), []);
});

test("uploads that were not ended, and what was overwritten or deleted, go without a tag", () => {
  const whole = rules.filter(({ TagFilters }) => !TagFilters);
  assert.ok(
    whole.some(({ AbortIncompleteMultipartUpload }) => AbortIncompleteMultipartUpload.DaysAfterInitiation <= 2),
  );
  assert.ok(whole.some(({ NoncurrentVersionExpiration }) => NoncurrentVersionExpiration?.NoncurrentDays > 0));
});

test("who writes checkpoints or parts may tag them, and nobody else", () => {
  const tagging = ofType("AWS::IAM::Policy").filter(({ Properties }) =>
    JSON.stringify(Properties).includes("s3:PutObjectTagging"),
  );
  const roles = tagging.map(({ id }) => id.replace(/DefaultPolicy.*/, "")).sort();
  assert.deepEqual(roles, ["CpuTaskTaskRole", "EdgeLightRole", "GpuTaskTaskRole"]);
});
