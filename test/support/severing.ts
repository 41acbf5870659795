/** A proxy that cuts connections at random points: in the middle of a request, while it is worked on, or within the answer. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { philox } from "../../shared/engine/random.ts";

export interface Severing {
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  /** Connections cut so far, by where. */
  readonly cuts: Record<Point, number>;
  close(): Promise<void>;
}

const points = ["request", "work", "answer"] as const;
type Point = (typeof points)[number];

const longestWork = 60;

/** `target` such as `http://127.0.0.1:4566`; `share` of what clients send in one piece is cut. */
export async function startSevering(target: string, { share = 0.5, seed = 7 } = {}): Promise<Severing> {
  const { hostname, port } = new URL(target);
  const random = randomOf(seed);
  const cuts = { request: 0, work: 0, answer: 0 };
  const open = new Set<Socket>();

  const server = createServer((client) => {
    const api = connect(Number(port), hostname);
    const ends = [client, api];
    for (const end of ends) {
      open.add(end);
      end
        .on("error", () => {})
        .on("close", () => {
          open.delete(end);
          for (const other of ends) other.destroy();
        });
    }
    const cut = (point: Point) => {
      if (!client.destroyed) cuts[point]++;
      for (const end of ends) end.destroy();
    };
    let isAnswerCut = false;
    client.on("data", (sent) => {
      const point = random() < share ? pick(random) : undefined;
      isAnswerCut = point === "answer";
      if (point !== "request") api.write(sent);
      else api.write(part(sent, random), () => cut("request"));
      if (point === "work") setTimeout(cut, random() * longestWork, "work");
    });
    api.on("data", (answer) => {
      if (isAnswerCut) client.write(part(answer, random), () => cut("answer"));
      else client.write(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

const pick = (random: Random): Point => points[Math.floor(random() * points.length)]!;
const part = (bytes: Buffer, random: Random) => bytes.subarray(0, Math.floor(random() * bytes.length));

type Random = () => number;

/** From 0 to less than 1. */
function randomOf(seed: number): Random {
  let drawn = 0;
  return () => philox([drawn++, 0, 0, 0], [seed, 0])[0] / 2 ** 32;
}
