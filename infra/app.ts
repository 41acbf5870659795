/** The deployment on AWS: `cdk deploy --all`, with the choices of `constructs/options.ts` as `-c name=value`. */
import { App } from "aws-cdk-lib";
import { deploy } from "./stacks/deployment.ts";

const app = new App();
deploy(app);
app.synth();
