/** Runs the local cloud alone: `node infra/local/main.ts --home DIR`. Prints one JSON line of endpoints when it is up. */
import { parseArgs } from "node:util";
import { startLocalCloud } from "./cloud.ts";

const { values } = parseArgs({
  options: {
    home: { type: "string" },
    "s3-port": { type: "string", default: "0" },
    "sqs-port": { type: "string", default: "0" },
    "dynamodb-port": { type: "string", default: "0" },
  },
});

async function main(): Promise<void> {
  if (!values.home) throw new Error("Give the state directory: node infra/local/main.ts --home DIR");
  const cloud = await startLocalCloud({
    home: values.home,
    ports: {
      s3: Number(values["s3-port"]),
      sqs: Number(values["sqs-port"]),
      dynamodb: Number(values["dynamodb-port"]),
    },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void cloud.close().then(() => process.exit(0)));
  }
  console.log(JSON.stringify({ endpoints: cloud.endpoints, environment: cloud.environment }));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
