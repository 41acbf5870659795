/** `npm run models`: the operator's tool for base models, which are the whole deployment's. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { commands } from "./models/commands.ts";
import { openDeployment } from "./models/deployment.ts";
import { showProgress } from "./models/progress.ts";
import { aloneCommands } from "./models/recipes/command.ts";
import { Refusal } from "./models/refusal.ts";

const usage = () =>
  [
    "Usage:",
    ...Object.entries({ ...commands, ...aloneCommands }).map(
      ([name, command]) => `  npm run models -- ${name} ${command.usage}`,
    ),
  ].join("\n");

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      id: { type: "string" },
      revision: { type: "string" },
      replace: { type: "boolean" },
      heavy: { type: "boolean" },
      files: { type: "boolean" },
      guard: { type: "string" },
      tolerance: { type: "string" },
      minutes: { type: "string" },
    },
  });
  const [name = "", ...subjects] = positionals;
  const home = resolve(process.env.MILLRACE_HOME ?? ".millrace");
  const print = (line: string) => console.log(line);
  const known = { subject: subjects[0] ?? "", options, environment: process.env, home, print };
  if (Object.hasOwn(aloneCommands, name) && subjects.length === 1) {
    return aloneCommands[name as keyof typeof aloneCommands].run(known);
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command || subjects.length !== (command.usage ? 1 : 0)) throw new Refusal(usage());
  const { stores, close } = openDeployment(process.env, home);
  const progress = showProgress(process.stderr);
  try {
    await command.run({ ...known, stores, progress });
  } finally {
    close();
  }
}

main().catch((error: Error) => {
  console.error(error.message || error);
  process.exitCode = 1;
});
