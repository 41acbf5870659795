/** Local clouds under test: in this process, or as a child that can be killed; each with explicit clients. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { LocalCloud } from "../../../infra/local/cloud.ts";

const program = new URL("../../../infra/local/main.ts", import.meta.url).pathname;

export type Clients = { s3: S3Client; sqs: SQSClient; dynamodb: DynamoDBClient };
type Addresses = Pick<LocalCloud, "endpoints" | "environment">;

/** A state directory that is removed when the file's tests are through. */
export async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "millrace-local-"));
  after(() => rm(home, { recursive: true, force: true }));
  return home;
}

/** Clients that never retry, so that an acknowledgement is the server's own. */
export function clientsOf({ endpoints, environment }: Addresses, s3: S3ClientConfig = {}): Clients {
  const common = {
    region: environment.AWS_REGION,
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? "",
    },
    maxAttempts: 1,
  };
  return {
    s3: new S3Client({ ...common, endpoint: endpoints.s3, ...s3 }),
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs }),
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
  };
}

/** A started process: its first line of output, all its complaints, and a way to end it. */
export type CloudProcess = Addresses & {
  pid: number;
  complaints(): string;
  kill(signal: NodeJS.Signals): Promise<number | null>;
};

export function spawnCloud(home: string): ChildProcess {
  return spawn(process.execPath, [program, "--home", home], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Resolves when the child says that it is up; rejects with its complaints when it exits instead. */
export async function startProcess(home: string): Promise<CloudProcess> {
  const child = spawnCloud(home);
  let errors = "";
  child.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  const exited = once(child, "exit");
  const firstLine = once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line");
  const [line] = await Promise.race([
    firstLine,
    exited.then(() => {
      throw new Error(errors);
    }),
  ]);
  return {
    ...(JSON.parse(line) as Addresses),
    pid: child.pid ?? 0,
    complaints: () => errors,
    async kill(signal) {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}
