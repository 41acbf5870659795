/**
 * What a worker did for a request, as a segment of its trace: a datagram to X-Ray's daemon beside it. Nobody waits for it, and
 * where there is no daemon none is sent.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
 */
import { createSocket } from "node:dgram";
import { newSpan, type Trace } from "./trace.ts";

export interface Segment {
  name: string;
  trace: Trace;
  /** Unix time in milliseconds. */
  from: number;
  to: number;
  fault: boolean;
  /** To find it by. */
  annotations: Readonly<Record<string, string>>;
}

export type SendSegment = (segment: Segment) => void;

/** `daemon` such as `127.0.0.1:2000`; undefined: nothing is sent. */
export function createSegments(daemon: string | undefined): SendSegment {
  // Lambda's form names both protocols: `tcp:169.254.79.129:2000 udp:169.254.79.129:2000`.
  const [, host, port] = /(?:^|udp:)([\w.-]+):(\d+)$/.exec(daemon ?? "") ?? [];
  if (!host || !port) return () => {};
  const socket = createSocket("udp4").unref();
  socket.on("error", () => {});
  return ({ name, trace, from, to, fault, annotations }) => {
    if (!trace.sampled) return;
    const document = {
      ...{ name, id: newSpan(), trace_id: `1-${trace.id.slice(0, 8)}-${trace.id.slice(8)}` },
      ...(trace.parent && { parent_id: trace.parent }),
      ...{ start_time: from / 1000, end_time: to / 1000, fault, annotations },
    };
    socket.send(`{"format":"json","version":1}\n${JSON.stringify(document)}`, Number(port), host, () => {});
  };
}
