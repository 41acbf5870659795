/** The stacks of a deployment as templates, without an account, Docker or network. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { deploy } from "../../infra/stacks/deployment.ts";

// CloudFormation's own rules take seconds: `npm run synth` asks them. What cdk-nag says counts here, too.
process.env.CDK_VALIDATION = "false";

// biome-ignore lint/suspicious/noExplicitAny: templates are JSON of many shapes
export type Properties = any;

export interface Resource {
  stack: string;
  id: string;
  Type: string;
  Properties: Properties;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

export interface Synthesised extends ReturnType<typeof deploy> {
  resources: Resource[];
  ofType(type: string): Resource[];
}

/** With the choices of `cdk.json` and those given. Functions are not bundled. Throws where cdk-nag finds something. */
export function synthesise(choices: Record<string, string> = {}): Synthesised {
  const { context } = JSON.parse(readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"));
  const outdir = mkdtempSync(join(tmpdir(), "millrace-stacks-"));
  after(() => rmSync(outdir, { recursive: true, force: true }));
  const quick = { "aws:cdk:bundling-stacks": [], "aws:cdk:disable-asset-staging": true };
  const app = new App({ outdir, context: { ...context, ...quick, ...choices } });
  const deployed = deploy(app);
  const stacks = app.node.children.filter((child) => child instanceof Stack);
  const resources = stacks.flatMap((stack) =>
    Object.entries(Template.fromStack(stack).toJSON().Resources as Record<string, Resource>).map(([id, resource]) => ({
      ...{ stack: stack.node.id, id },
      ...resource,
      Properties: resource.Properties ?? {},
    })),
  );
  return {
    ...deployed,
    resources,
    ofType: (type) => resources.filter(({ Type }) => Type === type),
  };
}
