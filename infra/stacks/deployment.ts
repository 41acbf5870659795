/** All stacks of one deployment, what they are called and tagged, and who checks them. */
import { type App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { readOptions } from "../constructs/options.ts";
import { ApiStack } from "./api.ts";
import { DataStack } from "./data.ts";
import { NetworkStack } from "./network.ts";
import { ObservabilityStack } from "./observability.ts";
import { WorkersStack } from "./workers.ts";

export function deploy(app: App) {
  const options = readOptions(app.node);
  const { stage } = options;
  const named = (part: string) => ({
    stackName: `millrace-${stage}-${part}`,
    description: `Millrace (${stage}): ${part}`,
  });
  const data = new DataStack(app, "Data", { ...named("data"), options });
  const network = new NetworkStack(app, "Network", { ...named("network"), options });
  const workers = new WorkersStack(app, "Workers", { ...named("workers"), data, network, options });
  const api = new ApiStack(app, "Api", { ...named("api"), data, network, options });
  const parts = { data, workers, api, options };
  const observability = new ObservabilityStack(app, "Observability", { ...named("observability"), ...parts });
  Tags.of(app).add("application", "millrace");
  Tags.of(app).add("stage", stage);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { options, data, network, workers, api, observability };
}
