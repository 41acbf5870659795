/** Cross-origin rules of a bucket, enforced as S3 does: without a matching rule a browser is refused. */
import { findConfiguration } from "./buckets.ts";
import { S3Error } from "./errors.ts";
import type { S3Request, S3Response } from "./request.ts";
import type { S3Store } from "./store.ts";
import { parseXml } from "./xml.ts";

type Rule = {
  AllowedOrigin?: string[];
  AllowedMethod?: string[];
  AllowedHeader?: string[];
  ExposeHeader?: string[];
  MaxAgeSeconds?: string;
};

/** A pattern may hold one `*`, which stands for any text. */
function matches(pattern: string, text: string): boolean {
  const [head = "", tail] = pattern.split("*");
  if (tail === undefined) return pattern === text;
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}

function findRule(store: S3Store, bucket: string, origin: string, method: string, headers: string[]): Rule | undefined {
  const xml = findConfiguration(store, bucket, "cors");
  if (!xml) return undefined;
  const { CORSRule: rules = [] } = parseXml<{ CORSRule?: Rule[] }>(xml, "CORSConfiguration");
  return rules.find(
    (rule) =>
      rule.AllowedOrigin?.some((pattern) => matches(pattern, origin)) &&
      rule.AllowedMethod?.includes(method) &&
      headers.every((name) => rule.AllowedHeader?.some((pattern) => matches(pattern.toLowerCase(), name))),
  );
}

function originHeaders(rule: Rule, origin: string): Record<string, string> {
  const anyOrigin = rule.AllowedOrigin?.includes("*");
  return {
    "access-control-allow-origin": anyOrigin ? "*" : origin,
    ...(anyOrigin ? {} : { "access-control-allow-credentials": "true" }),
    ...(rule.ExposeHeader ? { "access-control-expose-headers": rule.ExposeHeader.join(", ") } : {}),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** The headers that a browser needs on the answer to an actual request. */
export function corsHeaders(store: S3Store, { bucket, method, headers }: S3Request): Record<string, string> {
  const rule = headers.origin ? findRule(store, bucket, headers.origin, method, []) : undefined;
  return rule && headers.origin ? originHeaders(rule, headers.origin) : {};
}

/** Answers OPTIONS. Throws AccessDenied when no rule allows what the browser asks for. */
export function preflight(store: S3Store, { bucket, headers }: S3Request): S3Response {
  const { origin, "access-control-request-method": method, "access-control-request-headers": asked } = headers;
  if (!origin || !method)
    throw new S3Error("InvalidArgument", "A preflight needs Origin and Access-Control-Request-Method.");
  const names = asked ? asked.split(",").map((name) => name.trim().toLowerCase()) : [];
  const rule = findRule(store, bucket, origin, method, names);
  if (!rule) throw new S3Error("AccessDenied", "CORSResponse: This CORS request is not allowed.");
  return {
    status: 200,
    headers: {
      ...originHeaders(rule, origin),
      "access-control-allow-methods": rule.AllowedMethod?.join(", ") ?? "",
      ...(names.length ? { "access-control-allow-headers": names.join(", ") } : {}),
      ...(rule.MaxAgeSeconds ? { "access-control-max-age": rule.MaxAgeSeconds } : {}),
    },
  };
}
