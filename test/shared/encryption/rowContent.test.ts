/** Of every attribute of every row that can hold a text it was decided whether it is sealed: a new one fails here until it is. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { contentOf } from "../../../shared/encryption/rowContent.ts";

/** Where a project's rows and what stores read are not named alike: the noun by the schema. */
const nouns: Record<string, string> = {
  EvalItemRecord: "eval_item",
  JobEvent: "event",
  PartRecord: "file_upload_part",
};
const others = ["JobEvent", "AliasMove", "AnswerChunk", "InferenceContent"];
/** Of organizations and of the deployment; or parts of other schemas. */
const ofNoProject = /^(AdminKey|ApiKey|Key|EncryptionKey|Erasure|Organization|User|Base|Onnx|Imported)Record$/;

/** Names that customers give to call things by, ids, digests, settings and what Millrace itself says: plain in every row. */
const everywhere = ["id", "project_id", "model", "lease", "receipt", "object_key", "digest", "endpoint"];
const plain: Record<string, string> = {
  alias: "name",
  alias_move: "alias from to moved_by",
  answer: "request_id episode_id assignment written_by",
  batch: "input_file_id completion_window output_file_id error_file_id parts file_ids",
  checkpoint: "fine_tuned_model_checkpoint fine_tuning_job_id",
  dataset: "name",
  dataset_version: "dataset sources",
  eval_item: "run_id eval_id",
  eval_run: "eval_id per_model_usage report_url items_key",
  experiment: "function metric control arms winner ended_by created_by",
  exposure: "experiment_id unit inference_id episode_id",
  feedback: "inference_id episode_id metric_name superseded_by",
  file_upload: "part_ids",
  file_upload_part: "upload_id",
  function: "name incumbent incumbent_set_by previous_incumbent experiment_id",
  inference: "function variant experiment_id episode_id unit",
  job: "fine_tuned_model organization_id training_file validation_file result_files method integrations suffix base labelled latest_checkpoint",
  label_doctor: "dataset",
  label_item: "queue_id origin",
  label_queue: "source",
  member: "organization_id name email",
  metric: "name",
  model: "owned_by shutdown_date base_model base job_id",
  permission: "organization_id owner_project_id",
  policy: "function recipe test_set training metric_name promotion_id passed_version",
  project: "organization_id organization_name name",
  promotion: "function incumbent candidate dataset_version fine_tuning_job experiment_id policy passed_version canary",
  retention: "place",
  spend_limit: "turn",
  usage: "api_key_id",
  webhook_delivery: "webhook_endpoint_id event attempts",
  webhook_endpoint: "name url signing_secret_hint secrets",
  webhook_event: "data",
};

interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
}

/** Whether there may be a text, or anything at all; names of a record's fields are texts. */
function holdsText(node: JsonSchema): boolean {
  if (node.const !== undefined || node.enum) return false;
  const choices = node.anyOf ?? node.oneOf;
  if (choices) return choices.some(holdsText);
  const types = [node.type ?? "string"].flat();
  if (types.includes("string") || node.additionalProperties) return true;
  return [...Object.values(node.properties ?? {}), ...(node.items ? [node.items] : [])].some(holdsText);
}

async function* schemas(): AsyncGenerator<[name: string, schema: z.ZodType]> {
  const root = join(import.meta.dirname, "../../..");
  for (const file of globSync("shared/schemas/*.ts", { cwd: root })) {
    for (const [name, schema] of Object.entries(await import(join(root, file)))) {
      const isRow = (/Record$/.test(name) && !ofNoProject.test(name)) || others.includes(name);
      if (isRow && schema instanceof z.ZodType) yield [name, schema];
    }
  }
}

const nounOf = (schema: string): string => {
  const snake = schema.replace(/Record$/, "").replace(/(?<=[a-z])[A-Z]/g, "_$&");
  return nouns[schema] ?? snake.toLowerCase().replace(/^upload$/, "file_upload");
};

test("what rows can say is sealed, or declared to be no customer's content", async () => {
  const seen = new Set<string>();
  for await (const [name, schema] of schemas()) {
    const noun = nounOf(name);
    seen.add(noun);
    const { properties = {} } = z.toJSONSchema(schema, { unrepresentable: "any", reused: "inline" }) as JsonSchema;
    const texts = Object.keys(properties).filter((attribute) => holdsText(properties[attribute]!));
    const sealed = Object.keys(contentOf(`proj_x#${noun}`)?.content ?? {});
    const declared = new Set([...everywhere, ...(plain[noun]?.split(" ") ?? []), ...sealed]);
    assert.deepEqual(
      texts.filter((attribute) => !declared.has(attribute)),
      [],
      `${name} can say these: add them to rowContent.ts, or here if they are no content`,
    );
    const gone = [...(plain[noun]?.split(" ") ?? []), ...sealed].filter((attribute) => !texts.includes(attribute));
    assert.deepEqual(gone, [], `of ${name}, ${noun}`);
  }
  assert.deepEqual(
    Object.keys(plain).filter((noun) => !seen.has(noun)),
    [],
  );
});

test("a text in a list, a record or beneath another field is found", () => {
  const said = [
    z.array(z.string()),
    z.record(z.string(), z.int()),
    z.object({ a: z.string().nullable() }),
    z.unknown(),
  ];
  for (const schema of said) assert.ok(holdsText(z.toJSONSchema(schema) as JsonSchema));
  const silent = [z.int(), z.enum(["a"]).nullable(), z.object({ a: z.literal("x"), b: z.array(z.boolean()) })];
  for (const schema of silent) assert.ok(!holdsText(z.toJSONSchema(schema) as JsonSchema));
});
