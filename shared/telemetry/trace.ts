/**
 * Which request work belongs to, from where it came in through the queue to the worker: W3C Trace Context's ids, told in the form
 * of either W3C (`traceparent`) or X-Ray (`X-Amzn-Trace-Id`), of which neither is needed.
 * https://www.w3.org/TR/trace-context/, https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";

export interface Trace {
  /** 32 hexadecimal digits, of all that belongs to the request. */
  id: string;
  /** 16 hexadecimal digits: the span that caused what goes on; null: none is known. */
  parent: string | null;
  sampled: boolean;
}

const current = new AsyncLocalStorage<Trace>();

/** Undefined outside of any. */
export const currentTrace = (): Trace | undefined => current.getStore();

export const inTrace = <Result>(trace: Trace, work: () => Result): Result => current.run(trace, work);

const w3c = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;
const xRay = /(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})/i;

/** Undefined for what is none, in either form. */
export function readTrace(text: string | undefined): Trace | undefined {
  if (text === undefined || text.length > 512) return undefined;
  const [, id, parent, flags] = w3c.exec(text) ?? [];
  if (id && parent) return { id, parent, sampled: (Number.parseInt(flags!, 16) & 1) === 1 };
  const [, time, random] = xRay.exec(text) ?? [];
  if (!time || !random) return undefined;
  const own = /(?:^|;)\s*(?:Parent|Self)=([0-9a-f]{16})(?:;|$)/i.exec(text)?.[1];
  const sampled = /(?:^|;)\s*Sampled=1/.test(text);
  return { id: (time + random).toLowerCase(), parent: own?.toLowerCase() ?? null, sampled };
}

export const newSpan = (): string => randomBytes(8).toString("hex");

const none = "0000000000000001";

export function toTraceparent({ id, parent, sampled }: Trace): string {
  return `00-${id}-${parent ?? none}-${sampled ? "01" : "00"}`;
}

export function toXRay({ id, parent, sampled }: Trace): string {
  const root = `Root=1-${id.slice(0, 8)}-${id.slice(8)}`;
  return `${root}${parent ? `;Parent=${parent}` : ""};Sampled=${sampled ? 1 : 0}`;
}
