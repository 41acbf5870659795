/** The local cloud: S3, SQS and DynamoDB on loopback, in this process, persisted under one state directory. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { localCredentials, localRegion } from "./credentials.ts";
import { startDynamoDb } from "./dynamodb/server.ts";
import type { Listener } from "./listen.ts";
import { startS3 } from "./s3/server.ts";
import { startSqs } from "./sqs/server.ts";
import { lockStateDirectory } from "./stateLock.ts";

export type LocalCloudOptions = {
  /** The state directory; created if it is not there. One process at a time may hold it. */
  home: string;
  /** Any port left out is chosen by the system. */
  ports?: { s3?: number; sqs?: number; dynamodb?: number };
  /** How often expired DynamoDB items are deleted; 30 seconds unless given. AWS takes up to days. */
  ttlSweepMilliseconds?: number;
};

export type LocalCloud = {
  endpoints: { s3: string; sqs: string; dynamodb: string };
  /** All that a plain `new S3Client({})` needs to reach this cloud. */
  environment: Record<string, string>;
  /** Finishes requests under way, closes the databases and gives the state directory back. */
  close(): Promise<void>;
};

function environmentOf(endpoints: LocalCloud["endpoints"]): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_REGION: localRegion,
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
  };
}

/** Rejects with `StateDirectoryInUse` while another cloud holds the directory, and when a port is taken. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { home, ports = {}, ttlSweepMilliseconds = 30_000 } = options;
  const lock = lockStateDirectory(home);
  const started: Listener[] = [];
  const close = async () => {
    await Promise.all(started.map((listener) => listener.close()));
    lock.release();
  };
  const start = async (starting: Promise<Listener>): Promise<string> => {
    const listener = await starting;
    started.push(listener);
    return listener.url;
  };
  try {
    for (const service of ["s3", "sqs", "dynamodb"]) mkdirSync(join(home, service), { recursive: true });
    const s3 = await start(startS3(join(home, "s3"), ports.s3 ?? 0));
    const sqs = await start(startSqs(join(home, "sqs", "sqs.db"), ports.sqs ?? 0));
    const dynamodb = await start(startDynamoDb(join(home, "dynamodb"), ports.dynamodb ?? 0, ttlSweepMilliseconds));
    const endpoints = { s3, sqs, dynamodb };
    return { endpoints, environment: environmentOf(endpoints), close };
  } catch (error) {
    await close();
    throw error;
  }
}
