/** In a network without a way to the internet, containers reach all that they call: what that is, is read from the code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Properties, type Synthesised, synthesise } from "../../support/stacks.ts";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/x";
const closed = synthesise({ network: "private", edge: "container", certificateArn, organizationKeys: "true" });

/** Endpoints by the service's name in theirs, such as `sqs`. */
function endpoints({ ofType }: Synthesised): string[] {
  const named = ofType("AWS::EC2::VPCEndpoint").map(({ Properties: { ServiceName } }) => JSON.stringify(ServiceName));
  return named
    .map(
      (name) =>
        /com\.amazonaws\.",\{"Ref":"AWS::Region"\},"\.([\w.-]+)"|com\.amazonaws\.[\w-]+\.([\w.-]+)"/.exec(name)!,
    )
    .map(([, a, b]) => a ?? b!);
}

/** AWS's clients by package, as their endpoints are called; the rest of the SDK calls nobody by itself. */
const clients: Record<string, string> = {
  "@aws-sdk/client-dynamodb": "dynamodb",
  "@aws-sdk/lib-dynamodb": "dynamodb",
  "@aws-sdk/client-s3": "s3",
  "@aws-sdk/lib-storage": "s3",
  "@aws-sdk/s3-request-presigner": "s3",
  "@aws-sdk/client-sqs": "sqs",
  "@aws-sdk/client-kms": "kms",
  "@aws-crypto/client-node": "kms",
};

/** Services whose clients are in the program that an image runs. */
async function calledBy(entry: string): Promise<string[]> {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const options = { bundle: true, packages: "external", write: false, metafile: true, platform: "node" } as const;
  const { metafile } = await build({ ...options, absWorkingDir: root, entryPoints: [entry], format: "esm" });
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  const packages = new Set(imported.map(({ path }) => path).filter((path) => path.startsWith("@aws-")));
  return [...packages].map((name) => {
    assert.ok(clients[name], `of ${name} it is not known whom it calls`);
    return clients[name];
  });
}

/** What ECS calls for the containers of a task, and on their instances, by what their definitions ask of it. */
function askedOfEcs({ ofType }: Synthesised): string[] {
  const tasks = ofType("AWS::ECS::TaskDefinition").flatMap(
    ({ Properties }) => Properties.ContainerDefinitions as Properties[],
  );
  const scripts = JSON.stringify(ofType("AWS::EC2::LaunchTemplate"));
  return [
    ...["ecr.api", "ecr.dkr", "s3"],
    ...(tasks.some(({ LogConfiguration }) => LogConfiguration?.LogDriver === "awslogs") ? ["logs"] : []),
    ...(tasks.some(({ Secrets }) => Secrets) ? ["secretsmanager"] : []),
    ...(tasks.some(({ Name }) => Name === "xray-daemon") ? ["xray"] : []),
    ...(ofType("AWS::ECS::CapacityProvider").length ? ["ecs", "ecs-agent", "ecs-telemetry"] : []),
    ...(scripts.includes("amazon-cloudwatch-agent") ? ["monitoring"] : []),
  ];
}

test("every service that containers call has an endpoint, and no endpoint is paid for that nobody calls", async () => {
  const called = [...(await calledBy("workers/main.ts")), ...(await calledBy("api/server.ts")), ...askedOfEcs(closed)];
  assert.deepEqual(new Set(endpoints(closed)), new Set(called));
});

test("images come from the account's own registry", () => {
  const containers = closed
    .ofType("AWS::ECS::TaskDefinition")
    .flatMap(({ Properties }) => Properties.ContainerDefinitions as Properties[]);
  assert.ok(containers.some(({ Name }) => Name === "xray-daemon"));
  for (const { Name, Image } of containers) {
    assert.match(JSON.stringify(Image), /AWS::AccountId.*\.dkr\.ecr\./, Name);
  }
});

test("webhooks are sent by a function outside of the network, and no container takes their messages", () => {
  const { ofType } = closed;
  const sources = ofType("AWS::Lambda::EventSourceMapping").filter(({ Properties }) =>
    JSON.stringify(Properties.EventSourceArn).includes("Webhooks"),
  );
  assert.equal(sources.length, 1);
  const [{ Properties: source }] = sources as [Properties];
  const code = ofType("AWS::Lambda::Function").find(({ id }) => id === source.FunctionName.Ref)!.Properties;
  assert.equal(code.VpcConfig, undefined);
  assert.deepEqual(source.FunctionResponseTypes, ["ReportBatchItemFailures"]);
  const queue = ofType("AWS::SQS::Queue").find(({ id }) => id.startsWith("WebhooksQueue"))!;
  assert.ok(queue.Properties.VisibilityTimeout >= 6 * code.Timeout, "as Lambda asks for");
  const receiving = ofType("AWS::IAM::Policy").filter(({ Properties }) =>
    (Properties.PolicyDocument.Statement as Properties[]).some(
      ({ Action, Resource }) =>
        [Action].flat().includes("sqs:ReceiveMessage") && JSON.stringify(Resource).includes("WebhooksQueue"),
    ),
  );
  assert.deepEqual(
    receiving.map(({ id }) => id.replace(/DefaultPolicy.*/, "")),
    ["WebhooksRole"],
  );
  for (const { Properties } of ofType("AWS::ECS::TaskDefinition")) {
    const [{ Environment }] = Properties.ContainerDefinitions;
    assert.ok(Environment.some(({ Name }: Properties) => Name === "MILLRACE_WEBHOOK_QUEUE_URL"));
  }
});
