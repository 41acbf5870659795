/** What each compute may do with table, objects, queues and secrets: named actions on named resources, and no more. */
import { Stack } from "aws-cdk-lib";
import { type IGrantable, type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { IConstruct } from "constructs";
import { tableSchema } from "../../shared/stores/table.ts";
import type { DataStack } from "../stacks/data.ts";
import { acknowledge } from "./acknowledge.ts";

/** Keys of objects. A project's content begins with its id, bases are the deployment's. */
export const prefixes = {
  projects: "proj_*",
  inferences: "proj_*/inferences/*",
  answers: "proj_*/answers/*",
  bases: "bases/*",
} as const;
type Prefix = keyof typeof prefixes;

/** All that Millrace does with its table for whoever asks: no scan, nothing that changes the table itself. */
const tableActions = [
  ...["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"],
].map((action) => `dynamodb:${action}`);
const readActions = ["s3:GetObject"];
const writeActions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];
const tagActions = ["s3:PutObjectTagging"];
const keyActions = ["Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey"].map((action) => `kms:${action}`);

export interface Needs {
  reads?: readonly Prefix[];
  writes?: readonly Prefix[];
  /** Whether it writes what the bucket keeps for a while only; such objects carry a tag. */
  tags?: boolean;
  /** Whether it looks for rows that want a worker, and erases projects. */
  sweeps?: boolean;
  sends?: readonly Queue[];
  /** Queues whose length it asks for. */
  measures?: readonly Queue[];
  receives?: readonly Queue[];
  /** Secrets that it reads. */
  secrets?: readonly ISecret[];
  /** Secrets that it writes. */
  keeps?: readonly ISecret[];
}

const allow = ({ grantPrincipal }: IGrantable, actions: readonly string[], ...resources: string[]) =>
  grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions: [...actions], resources }));

export function grant(role: IRole, data: DataStack, needs: Needs): void {
  const { table, bucket, key } = data;
  allow(role, tableActions, table.tableArn);
  if (needs.sweeps) {
    allow(role, ["dynamodb:Query"], `${table.tableArn}/index/${tableSchema.workIndex.name}`);
    // Only reading all of it tells what is left of a project that is being erased.
    allow(role, ["dynamodb:Scan"], table.tableArn);
  }
  // Without it S3 tells whoever asks for what is not there that they may not ask.
  allow(role, ["s3:ListBucket"], bucket.bucketArn);
  for (const prefix of needs.reads ?? []) allowObjects(role, readActions, data, prefix);
  for (const prefix of needs.writes ?? []) allowObjects(role, writeActions, data, prefix);
  if (needs.tags) allow(role, tagActions, bucket.arnForObjects(prefixes.projects));
  useKey(role, key);
  for (const { queueArn } of needs.sends ?? []) allow(role, ["sqs:SendMessage"], queueArn);
  for (const { queueArn } of needs.measures ?? []) allow(role, ["sqs:GetQueueAttributes"], queueArn);
  for (const { queueArn } of needs.receives ?? []) {
    allow(
      role,
      ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"].map((name) => `sqs:${name}`),
      queueArn,
    );
  }
  for (const { secretArn } of needs.secrets ?? []) allow(role, ["secretsmanager:GetSecretValue"], secretArn);
  for (const { secretArn } of needs.keeps ?? []) allow(role, ["secretsmanager:PutSecretValue"], secretArn);
}

/** Only by way of the services that keep what it seals. */
function useKey(role: IRole, { keyArn }: Key): void {
  const { region } = Stack.of(role);
  const services = ["dynamodb", "s3", "secretsmanager"].map((service) => `${service}.${region}.amazonaws.com`);
  const conditions = { StringEquals: { "kms:ViaService": services } };
  role.addToPrincipalPolicy(new PolicyStatement({ actions: keyActions, resources: [keyArn], conditions }));
}

const whole: Record<Prefix, string> = {
  projects: "One function serves all projects; whose content a request reads is decided by its key.",
  inferences: "One function serves all projects; of their content it writes only what models answered.",
  answers: "One function serves all projects; of their content it writes only answers that workers are asked for.",
  bases: "Bases are many, and all models' to use.",
};

function allowObjects(role: IRole, actions: readonly string[], { bucket }: DataStack, prefix: Prefix): void {
  allow(role, actions, bucket.arnForObjects(prefixes[prefix]));
  const arn = nameInFindings(bucket.bucketArn, bucket);
  acknowledge(role, { [`IAM5[Resource::${arn}/${prefixes[prefix]}]`]: whole[prefix] });
}

/** As cdk-nag writes what another stack exports. */
function nameInFindings(value: string, owner: IConstruct): string {
  const stack = Stack.of(owner);
  return (stack.resolve(stack.exportValue(value)) as { "Fn::ImportValue": string })["Fn::ImportValue"];
}

/**
 * Keys of organizations, which Millrace makes itself and tags with the deployment's name, see `shared/encryption`. `all`:
 * makes them and lets them go.
 */
export function grantOrganizationKeys(role: IRole, deployment: string, what: "use" | "all"): void {
  const { partition, region, account } = Stack.of(role);
  const keys = `arn:${partition}:kms:${region}:${account}:key/*`;
  const tagged = (tag: "RequestTag" | "ResourceTag") => ({ StringEquals: { [`aws:${tag}/millrace`]: deployment } });
  const statement = (actions: string[], resources: string[], conditions: Record<string, unknown>) =>
    role.addToPrincipalPolicy(new PolicyStatement({ actions, resources, conditions }));
  acknowledge(role, {
    "IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]":
      "Millrace makes these keys while it runs: their tag says that they are this deployment's.",
  });
  statement(["kms:GenerateDataKey", "kms:Decrypt"], [keys], tagged("ResourceTag"));
  if (what === "use") return;
  statement(["kms:ScheduleKeyDeletion"], [keys], tagged("ResourceTag"));
  acknowledge(role, {
    "IAM5[Resource::*]": "A key that is not there yet has no name; it must be given the deployment's tag.",
  });
  statement(["kms:CreateKey", "kms:TagResource"], ["*"], tagged("RequestTag"));
}
