/** A name server on loopback, which knows the names that a test gives it. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export interface NameServer {
  /** As resolvers take it. */
  address: string;
  close(): void;
}

const types = { 1: "A", 28: "AAAA" } as const;
type Type = (typeof types)[keyof typeof types];

/** Addresses by name and type, as bytes. Of another name it says that there is none. */
export async function startNameServer(names: Record<string, Partial<Record<Type, number[]>>>): Promise<NameServer> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => {
    const labels: string[] = [];
    let at = 12;
    for (; query[at]! > 0; at += query[at]! + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!));
    const question = query.subarray(12, at + 5);
    const known = names[labels.join(".")];
    const bytes = known?.[types[query.readUInt16BE(at + 1) as keyof typeof types]];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An answer, recursion available; 3: no such name.
    header.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(bytes ? 1 : 0, 6);
    const answer = bytes
      ? Buffer.from([0xc0, 0x0c, 0, query[at + 2]!, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes])
      : Buffer.alloc(0);
    socket.send(Buffer.concat([header, question, answer]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { address: `127.0.0.1:${(socket.address() as AddressInfo).port}`, close: () => socket.close() };
}
