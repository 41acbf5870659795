/** Where a customer's webhooks may go: addresses of the public internet, so that no URL leads into the operator's network. */
import ipaddr from "ipaddr.js";

/** Answers hosts of Azure about themselves, from among public addresses. */
const metadata = new Set(["168.63.129.16"]);
/** What the internet routes at all: neither mapped, translated nor tunnelled IPv4, nor site-local, nor documentation. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");

/** Whether a resolved address, in any spelling, is one of the public internet. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast)) return false;
  return parsed.range() === "unicast" && !metadata.has(parsed.toString());
}

export interface UrlRules {
  /** The operator's switch: plain HTTP, any port, any address. */
  local: boolean;
}

const ports = new Set(["", "443", "8443"]);

/** What forbids the URL before its name is resolved; undefined: nothing. */
export function urlFault(url: string, { local }: UrlRules): string | undefined {
  const parsed = URL.parse(url);
  if (!parsed) return "is no URL";
  if (!(parsed.protocol === "https:" || (local && parsed.protocol === "http:"))) return "must begin with https://";
  if (parsed.username || parsed.password) return "must hold no credentials";
  if (local) return undefined;
  if (!ports.has(parsed.port)) return "may name the ports 443 and 8443 only";
  const host = literalAddress(parsed);
  return host === undefined || isPublic(host) ? undefined : "must lead to an address of the public internet";
}

/** The address that stands in the place of a name; a socket asks no resolver about it. URLs spell IPv4 in one form only. */
export function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return ipaddr.isValid(bare) ? bare : undefined;
}
