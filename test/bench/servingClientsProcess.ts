/**
 * The process of `servingClients.ts`. On other machines clients would take nothing of these cores: so requests are written
 * before the clock starts, answers are read after it stopped, and in between there is one socket a client and no more.
 */
import { connect, type Socket } from "node:net";
import { concurrently } from "../examples/concurrently.ts";
import type { Asking, ClientRequest, Round, Served } from "./servingClients.ts";

let origin: URL;
let written: readonly Buffer[] = [];

process.on("message", (message: Asking | Round) => {
  if ("origin" in message) {
    origin = new URL(message.origin);
    written = message.requests.map(write);
    return;
  }
  void run(message)
    .catch((error: Error) => ({ error: error.message }))
    .then((answer) => process.send!(answer));
});
process.on("disconnect", () => process.exit());

function write({ key, body }: ClientRequest): Buffer {
  const content = JSON.stringify(body);
  const head = [
    "POST /v1/decisions HTTP/1.1",
    `host: ${origin.host}`,
    `authorization: Bearer ${key}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(content)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${content}`);
}

async function run({ clients, requests }: Round): Promise<Served> {
  const idle = await Promise.all(Array.from({ length: clients }, open));
  const sockets = [...idle];
  const asked = written.slice(0, requests);
  const [start, before] = [performance.now(), process.cpuUsage()];
  const answers = await concurrently(asked, clients, async (request) => {
    const socket = idle.pop()!;
    const began = performance.now();
    const answer = await ask(socket, request);
    idle.push(socket);
    return { answer, latency: performance.now() - began };
  });
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  for (const socket of sockets) socket.destroy();
  for (const { answer } of answers) check(answer);
  return { milliseconds, latencies: answers.map(({ latency }) => latency), processor: (user + system) / 1000 };
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: origin.hostname, port: Number(origin.port), noDelay: true });
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

/** The answer as it came, whole. */
function ask(socket: Socket, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    const hear = (part: Buffer) => {
      answer = answer ? Buffer.concat([answer, part]) : part;
      if (!isWhole(answer)) return;
      stop();
      resolve(answer);
    };
    const fail = () => {
      stop();
      reject(new Error("the connection ended within an answer"));
    };
    const stop = () => void socket.off("data", hear).off("close", fail);
    socket.on("data", hear).on("close", fail);
    socket.write(request);
  });
}

const gap = "\r\n\r\n";

function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf(gap);
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.toString("latin1", 0, end))?.[1];
  if (length === undefined) throw new Error("an answer does not say how long it is");
  return answer.length >= end + gap.length + Number(length);
}

function check(answer: Buffer): void {
  const text = answer.toString();
  if (!text.startsWith("HTTP/1.1 200 ")) throw new Error(text.slice(0, 300));
  JSON.parse(text.slice(text.indexOf(gap)));
}
