/** The process of `servingClients.ts`. Plain HTTP, as clients on other machines would take nothing of these cores at all. */
import { Agent, request } from "node:http";
import { concurrently } from "../examples/concurrently.ts";
import type { ClientRequest, Load, Served } from "./servingClients.ts";

process.on("message", (load: Load) => {
  void run(load)
    .catch((error: Error) => ({ error: error.message }))
    .then((answer) => process.send!(answer));
});
process.on("disconnect", () => process.exit());

async function run({ origin, clients, requests }: Load): Promise<Served> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const bodies = requests.map(({ key, body }) => ({ key, body: JSON.stringify(body) }));
  const [start, before] = [performance.now(), process.cpuUsage()];
  const latencies = await concurrently(bodies, clients, async (one) => {
    const began = performance.now();
    await post(`${origin}/v1/decisions`, one, agent);
    return performance.now() - began;
  });
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  agent.destroy();
  return { milliseconds, latencies, processor: (user + system) / 1000 };
}

function post(url: string, { key, body }: { key: ClientRequest["key"]; body: string }, agent: Agent): Promise<void> {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode !== 200) return reject(new Error(`${response.statusCode} ${text.slice(0, 300)}`));
        JSON.parse(text);
        resolve();
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
