/** What a request sets in motion belongs to the trace that it came in, if any: gateways and load balancers give it one. */
import type { MiddlewareHandler } from "hono";
import { inTrace, readTrace } from "../../shared/telemetry/trace.ts";

export const traceRequests: MiddlewareHandler = (c, next) => {
  const trace = readTrace(c.req.header("traceparent")) ?? readTrace(c.req.header("x-amzn-trace-id"));
  return trace ? inTrace(trace, next) : next();
};
