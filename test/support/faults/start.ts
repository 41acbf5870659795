/** Puts faults between whoever is started with the environment and the cloud. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Service } from "./faults.ts";
import type { Orders, Told } from "./process.ts";
import type { FaultCounts } from "./proxy.ts";

export interface Faults {
  /** The cloud's environment with the proxies in the services' place. */
  environment: Record<string, string>;
  /** Share of calls that something befalls from now on, from 0 to 1. */
  befall(share: number): void;
  counts(): Promise<Record<Service, FaultCounts>>;
  close(): Promise<void>;
}

const endpointOf: Record<Service, string> = {
  s3: "AWS_ENDPOINT_URL_S3",
  sqs: "AWS_ENDPOINT_URL_SQS",
  dynamodb: "AWS_ENDPOINT_URL_DYNAMODB",
};

const program = fileURLToPath(new URL("process.ts", import.meta.url));

export async function startFaults(
  cloud: Record<string, string>,
  { seed, share }: Pick<Orders, "seed" | "share">,
): Promise<Faults> {
  const names = Object.entries(endpointOf) as [Service, string][];
  const targets = Object.fromEntries(names.map(([service, name]) => [service, cloud[name]!])) as Orders["targets"];
  const orders: Orders = { seed, share, targets };
  const child = fork(program, { env: { ...process.env, FAULTS: JSON.stringify(orders) } });
  const [{ urls }] = (await once(child, "message")) as [{ urls: Record<Service, string> }];
  const tell = (told: Told) => child.send(told);
  /** Queues are named by URLs of the service. */
  const moved = (value: string) => value.replace(targets.sqs, urls.sqs);
  return {
    environment: {
      ...Object.fromEntries(Object.entries(cloud).map(([name, value]) => [name, moved(value)])),
      ...Object.fromEntries(names.map(([service, name]) => [name, urls[service]])),
    },
    befall: (share) => void tell({ share }),
    async counts() {
      const answered = once(child, "message");
      tell("counts");
      return (await answered)[0].counts;
    },
    async close() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
